import { createHash } from "node:crypto";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";

export interface HubServer extends AsyncDisposable {
  readonly address: string;
  /** What was asked for, as `GET /path` with the range if one was given. */
  readonly asked: string[];
  /** Connections break behind so many bytes of a file, once. */
  breakAfter(bytes: number): void;
}

const revision = "0123456789abcdef0123456789abcdef01234567";

/** A model hub with one repository, on this machine: as much of its API as is asked here. */
export async function hubServer(
  repository: string,
  files: Readonly<Record<string, Uint8Array>>,
  announced: Readonly<Record<string, Uint8Array>> = files,
): Promise<HubServer> {
  const asked: string[] = [];
  let breakAt = Number.POSITIVE_INFINITY;
  const server = createServer((request, response) => {
    const path = (request.url ?? "").replace(/\?.*/, "");
    const { range } = request.headers;
    asked.push(`GET ${path}${range === undefined ? "" : ` ${range}`}`);
    const json = (value: unknown): void => {
      response.setHeader("Content-Type", "application/json");
      response.end(JSON.stringify(value));
    };
    if (path.startsWith(`/api/models/${repository}/revision/`))
      return json({ _id: "1", id: repository, sha: revision, lastModified: "2025-01-01T00:00:00Z" });
    if (path === `/api/models/${repository}/tree/${revision}`)
      return json(Object.entries(announced).map(([name, bytes]) => entryOf(name, bytes)));
    const bytes = files[path.replace(`/${repository}/resolve/${revision}/`, "")];
    if (bytes === undefined) {
      response.statusCode = 404;
      return void response.end();
    }
    const from = Number(/bytes=(\d+)-/.exec(range ?? "")?.[1] ?? 0);
    if (range !== undefined) response.statusCode = 206;
    response.setHeader("Content-Length", bytes.length - from);
    if (bytes.length - from <= breakAt) return void response.end(bytes.subarray(from));
    // What a client has not read yet when a connection breaks, it throws away.
    response.write(bytes.subarray(from, from + breakAt), () => {
      setTimeout(() => request.socket.destroy(), 200);
    });
    breakAt = Number.POSITIVE_INFINITY;
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return {
    address: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    asked,
    breakAfter: (bytes) => {
      breakAt = bytes;
    },
    [Symbol.asyncDispose]: () =>
      new Promise<void>((resolve) => {
        server.closeAllConnections();
        server.close(() => resolve());
      }),
  };
}

/** Weights are kept beside git, by their SHA-256; other files have git's own digest. */
function entryOf(path: string, bytes: Uint8Array) {
  const entry = { type: "file", path, size: bytes.length };
  if (path.endsWith(".safetensors")) {
    const oid = createHash("sha256").update(bytes).digest("hex");
    return { ...entry, oid: "0".repeat(40), lfs: { oid, size: bytes.length, pointerSize: 130 } };
  }
  return { ...entry, oid: createHash("sha1").update(`blob ${bytes.length}\0`).update(bytes).digest("hex") };
}
