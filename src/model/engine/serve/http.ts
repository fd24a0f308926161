import { createHash, timingSafeEqual } from "node:crypto";
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import { isWhetstoneError, userError } from "../../../foundation/base/index.ts";
import { notFound, type Reply, refusal } from "./reply.ts";
import { routeOf } from "./routes.ts";
import type { ServerState } from "./state.ts";

export interface HttpOptions {
  readonly key: string | undefined;
  /** Names by which it must be called, port aside; undefined where any will do. */
  readonly hosts: ReadonlySet<string> | undefined;
  /** The largest body that is taken, in bytes. */
  readonly maxBodyBytes: number;
  /** Is told what no request should have brought about. */
  readonly onFault: (error: unknown) => void;
}

/** Bytes of a body that is too large which are kept: the beginning says whose it is. */
const keptBytes = 4096;

/** The API over HTTP/1.1. It answers whatever comes, and never with a status from 500 up. */
export function httpServer(state: ServerState, options: HttpOptions): Server {
  const isKey = keyCheck(options.key);
  // However long a large body takes on a slow line: only a line on which nothing moves is cut.
  const usual = { keepAliveTimeout: 75_000, requestTimeout: 0, noDelay: true };
  const server = createServer(usual, (request, response) => {
    const gone = new AbortController();
    response.on("close", () => gone.abort());
    response.on("error", () => gone.abort());
    answer(state, request, options, isKey, gone.signal)
      .catch((error: unknown) => {
        // Whoever goes in the middle of a request has done nothing to look into.
        if (!isWhetstoneError(error) && !gone.signal.aborted) options.onFault(error);
        return refusal(error, isWhetstoneError(error) && error.code === "body-too-large" ? 413 : 400);
      })
      .then((reply) => send(request, response, reply), options.onFault);
  });
  server.setTimeout(Math.max(120_000, 4 * state.times.poll));
  server.on("clientError", (_, socket) => socket.destroy());
  return server;
}

async function answer(
  state: ServerState,
  request: IncomingMessage,
  { maxBodyBytes, hosts }: HttpOptions,
  isKey: (given: string | undefined) => boolean,
  signal: AbortSignal,
): Promise<Reply> {
  const { method = "GET", headers } = request;
  const given = headers["x-api-key"] ?? headers.authorization?.replace(/^Bearer /i, "");
  if (!isKey(typeof given === "string" ? given : undefined)) return unauthorized;
  // A page in a browser on this machine is no client.
  if (headers.origin !== undefined)
    return refusal(userError("no-browsers", "Pages in browsers are not answered."), 403);
  // A page that had its own name point here would send no origin with what it only reads.
  if (hosts !== undefined && !hosts.has(hostOf(headers.host)))
    return refusal(
      userError(
        "wrong-host",
        `Without a key this server answers to ${[...hosts].join(", ")} only, and not to "${(headers.host ?? "").slice(0, 100)}".`,
      ),
      403,
    );
  const { url: address = "/" } = request;
  const url = URL.parse(address, "http://server");
  const route = url === null ? undefined : routeOf(method, url.pathname);
  if (url === null || route === undefined) return notFound(`There is no ${method} ${address.slice(0, 200)}.`);
  const encoding = headers["content-encoding"] ?? "identity";
  if (encoding !== "identity")
    return refusal(userError("unsupported-type", `Bodies are taken as they are, not as ${encoding}.`), 415);
  const { body, cutOff } = await readBody(request, maxBodyBytes);
  const reply = await route.handler(state, {
    parameters: route.parameters,
    query: url.searchParams,
    contentType: headers["content-type"] ?? "",
    body,
    cutOff,
    signal,
  });
  const waits = headers.prefer === "wait" && reply.requestId !== undefined;
  return waits ? await resultInstead(state, reply, signal) : reply;
}

/** A client that prefers to wait (RFC 7240) gets the result in the place of its id, if it is there in time. */
async function resultInstead(state: ServerState, begun: Reply, signal: AbortSignal): Promise<Reply> {
  const result = await state.futures.wait(begun.requestId ?? "", state.times.poll, signal);
  return result === undefined || result === "pending" ? begun : result;
}

const unauthorized: Reply = {
  status: 401,
  type: "application/json",
  body: '{"error":"unauthorized"}',
};

/** Of `name:port` the name, `[…]` of an IPv6 address included. */
const hostOf = (header = ""): string => header.toLowerCase().replace(/:\d*$/, "");

/** Compares digests, so that neither length nor time tells how near a key was. */
function keyCheck(key: string | undefined): (given: string | undefined) => boolean {
  if (key === undefined) return () => true;
  const digest = (text: string): Buffer => createHash("sha256").update(text).digest();
  const wanted = digest(key);
  return (given) => given !== undefined && timingSafeEqual(digest(given), wanted);
}

/** All of a body is read, so that a client that writes first and reads then gets its answer; only the beginning is kept of one that is too large. */
async function readBody(
  request: IncomingMessage,
  maxBodyBytes: number,
): Promise<{ readonly body: Buffer; readonly cutOff: boolean }> {
  let chunks: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of request as AsyncIterable<Buffer>) {
    bytes += chunk.length;
    if (bytes <= maxBodyBytes) chunks.push(chunk);
    else if (chunks.length > 1 || (chunks[0]?.length ?? 0) > keptBytes)
      chunks = [Buffer.from(Buffer.concat([...chunks, chunk]).subarray(0, keptBytes))];
    // Whoever sends without end is not waited for.
    if (bytes > 16 * maxBodyBytes) break;
  }
  const [only] = chunks;
  return {
    body: chunks.length === 1 && only !== undefined ? only : Buffer.concat(chunks),
    cutOff: bytes > maxBodyBytes,
  };
}

function send(request: IncomingMessage, response: ServerResponse, { status, type, body }: Reply): void {
  if (response.destroyed) return;
  const bytes = typeof body === "string" ? Buffer.byteLength(body) : body.length;
  const headers = { "Content-Type": type, "Content-Length": bytes };
  // What was not read of the request would be taken for the next one.
  response.writeHead(status, request.complete ? headers : { ...headers, Connection: "close" });
  response.end(body);
  if (!request.complete) request.resume();
}
