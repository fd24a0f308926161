import { request as httpRequest } from "node:http";
import { connect } from "node:net";
import { networkInterfaces } from "node:os";
import { expect, test } from "vitest";
import { tabular } from "../tabular/index.ts";
import { serveTinker } from "./serve.ts";
import { modelName, served, tinyFolder, WireClient } from "./testing/wire-client.ts";

test("a wrong key, or none, is told nothing, whatever it asks for", async () => {
  await using one = await served();
  for (const key of ["", "K", "kk", "k ".repeat(500)])
    for (const [method, path] of [
      ["GET", "get_server_capabilities"],
      ["POST", "create_session"],
      ["GET", "nothing/there"],
      ["POST", "forward_backward"],
    ] as const) {
      const answer = await new WireClient(one.server.url, key).request(method, path, {
        ...(method === "POST" ? { body: "{" } : {}),
      });
      expect([answer.status, answer.body]).toEqual([401, { error: "unauthorized" }]);
    }
  expect((await one.client.request("GET", "healthz")).body).toEqual({ status: "ok" });
});

/** What comes back for bytes that no client of HTTP would send. */
function exchange(url: string, request: string, leaveAfterMs?: number, to = "127.0.0.1"): Promise<string> {
  const socket = connect(Number(new URL(url).port), to, () => socket.write(request));
  if (leaveAfterMs !== undefined) setTimeout(() => socket.destroy(), leaveAfterMs);
  return new Promise((resolve) => {
    let answer = "";
    socket.on("data", (part) => {
      answer += part.toString();
      socket.end();
    });
    socket.on("close", () => resolve(answer));
  });
}

test("an address that is none is told nothing without a key, and is no fault with it", async () => {
  await using one = await served();
  const to = (address: string, headers = "") =>
    exchange(one.server.url, `GET ${address} HTTP/1.1\r\nHost: x\r\n${headers}\r\n`);
  for (const address of ["//", "http://[bad", "/api/v1/healthz"]) {
    expect(await to(address), address).toMatch(/^HTTP\/1.1 401 [\s\S]*{"error":"unauthorized"}$/);
    if (!address.startsWith("/api")) expect(await to(address, "X-API-Key: k\r\n"), address).toMatch(/ 404 /);
  }
  expect(one.faults).toEqual([]);
});

test("without a key it answers to names of this machine only, so that no page can make its own name one", async () => {
  await using one = await served({ keyless: true, host: "127.0.0.2" });
  await using locked = await served();
  const { port } = new URL(one.server.url);
  const ask = (url: string, host: string, headers = "") => {
    const request = `GET /api/v1/healthz HTTP/1.1\r\nHost: ${host}\r\n${headers}\r\n`;
    return exchange(url, request, undefined, new URL(url).hostname);
  };
  const known = [
    "localhost",
    `localhost:${port}`,
    "LOCALHOST",
    "127.0.0.1:1",
    "[::1]:8000",
    `127.0.0.2:${port}`,
  ];
  for (const host of known) expect(await ask(one.server.url, host), host).toMatch(/^HTTP\/1.1 200 /);
  const strange = [
    "evil.example",
    `evil.example:${port}`,
    "localhost.evil.example",
    "127.0.0.3",
    "[::2]",
    "",
    ":80",
  ];
  for (const host of strange)
    expect(await ask(one.server.url, host), host).toMatch(/^HTTP\/1.1 403 [\s\S]*"wrong-host"/);
  // A key says who may.
  expect(await ask(locked.server.url, "evil.example", "X-API-Key: k\r\n")).toMatch(/^HTTP\/1.1 200 /);
});

test("a client that goes in the middle of its request is no fault", async () => {
  await using one = await served();
  const half = "POST /api/v1/asample HTTP/1.1\r\nHost: x\r\nX-API-Key: k\r\nContent-Length: 1000\r\n\r\n{";
  expect(await exchange(one.server.url, half, 50)).toBe("");
  expect((await one.client.request("GET", "healthz")).status).toBe(200);
  expect(one.faults).toEqual([]);
});

test("beyond this machine it does not start without a key", async () => {
  await using engine = await tabular().open({ logFolder: "unused" });
  const options = { engine, models: { [modelName]: tinyFolder }, stateFolder: "unused" };
  for (const host of ["0.0.0.0", "::", "example.org"])
    await expect(serveTinker({ ...options, host })).rejects.toMatchObject({ code: "key-missing" });
  // Nobody could send it, or anybody could: an empty one is what a variable gives that is not set.
  for (const key of ["tml-k\n", "ключ", ""])
    await expect(serveTinker({ ...options, key })).rejects.toMatchObject({ code: "invalid-option" });
});

test("only this machine reaches it unless it is told otherwise", async () => {
  await using one = await served();
  const { port, hostname } = new URL(one.server.url);
  expect(hostname).toBe("127.0.0.1");
  const elsewhere = Object.values(networkInterfaces())
    .flatMap((some) => some ?? [])
    .filter(({ internal, family }) => !internal && family === "IPv4");
  for (const { address } of [...elsewhere, { address: "127.0.0.2" }])
    await expect(fetch(`http://${address}:${port}/api/v1/healthz`)).rejects.toMatchObject({
      cause: { code: "ECONNREFUSED" },
    });
});

test("a request of 100 MB is refused, with its number used up where it tells it, and the server goes on", async () => {
  await using one = await served();
  const { client } = one;
  const model = await client.model();
  const huge = Buffer.alloc(100e6, 0x20);
  expect((await client.request("POST", "optim_step", { body: huge })).status).toBe(413);
  // A protobuf says first which call it is.
  const head = Buffer.concat([Buffer.from([0x0a, model.length]), Buffer.from(model), Buffer.from([0x10, 1])]);
  head.copy(huge);
  const answer = await client.result(await client.postBytes("forward_backward", huge));
  expect(answer.body).toMatchObject({ category: "user", code: "body-too-large" });
  expect(await client.step(model, 2)).toMatchObject({ "step:max": 1 });
  expect(one.faults).toEqual([]);
});

test("whoever sends without end is cut off", async () => {
  await using one = await served({ maxBodyBytes: 100_000 });
  const { port } = new URL(one.server.url);
  const ended = new Promise((resolve) => {
    const sending = httpRequest({
      port,
      method: "POST",
      path: "/api/v1/telemetry",
      headers: { "X-API-Key": "k" },
    });
    const more = (): void => {
      if (!sending.destroyed) sending.write(Buffer.alloc(65_536), () => setImmediate(more));
    };
    sending.on("error", () => resolve("cut off")).on("response", ({ statusCode }) => resolve(statusCode));
    more();
  });
  expect(["cut off", 200, 413]).toContain(await ended);
  expect((await one.client.request("GET", "healthz")).status).toBe(200);
});

test("pages in browsers, compressed bodies and unknown paths are refused in words", async () => {
  await using one = await served();
  const { client } = one;
  const page = await client.request("GET", "healthz", { headers: { Origin: "http://evil.example" } });
  expect(page.status).toBe(403);
  const packed = await client.request("POST", "create_session", {
    body: "x",
    headers: { "Content-Encoding": "zstd" },
  });
  expect(packed.status).toBe(415);
  const unknown = await client.request("GET", "sandwich");
  expect([unknown.status, unknown.body]).toMatchObject([404, { category: "user" }]);
});

test("what the API has for a service with accounts is refused in words", async () => {
  await using one = await served();
  const { client } = one;
  for (const [method, path] of [
    ["POST", "copy_weights"],
    ["POST", "create_custom_loss"],
    ["PUT", "sessions/x/project"],
    ["POST", "sessions/search"],
    ["GET", "sessions/x/trace_export"],
    ["GET", "billing/usage/events?starting_on=2026-01-01"],
    ["GET", "billing/usage/checkpoints/current"],
    ["GET", "audit"],
    ["GET", "training_runs/x/checkpoints/weights/y/archive"],
    ["GET", "training_runs/x/checkpoints/external_weights/y/external_weights_urls"],
    ["POST", "training_runs/x/checkpoints/weights/y/publish"],
    ["DELETE", "training_runs/x/checkpoints/weights/y/publish"],
  ] as const) {
    const { status, body } = await client.request(method, path);
    expect([status, body], path).toMatchObject([400, { category: "user", code: "unsupported" }]);
    expect(body.error, path).toMatch(/^This server .{20,}\.$/);
  }
});

test("no request brings about a status from 500 up, nor an answer without a body", async () => {
  await using one = await served({ times: { poll: 20 } });
  const { client } = one;
  const model = await client.model();
  const paths = [
    ...[
      "client/config",
      "create_session",
      "session_heartbeat",
      "create_model",
      "get_info",
      "forward_backward",
    ],
    ...["optim_step", "save_weights", "save_weights_for_sampler", "load_weights", "create_sampling_session"],
    ...["asample", "retrieve_future", "weights_info", "unload_model", "telemetry"],
  ];
  const id = {
    model_id: model,
    seq_id: 1,
    session_id: client.session,
    sampling_session_id: `${client.session}:sample:0`,
  };
  const bodies = [
    ...[
      "",
      "{",
      "null",
      "[]",
      "7",
      '"text"',
      "{}",
      "\u0000\uffff",
      JSON.stringify({ ...id, path: "../../x" }),
    ],
    JSON.stringify({ ...id, path: { toString: 1 }, model_seq_id: -1, request_id: [] }),
    JSON.stringify({ ...id, __proto__: null, constructor: 1, adam_params: { learning_rate: "NaN" } }),
    JSON.stringify({ tinker_path: "tinker://../../etc/passwd", request_id: "x".repeat(299) }),
    `${"[".repeat(20_000)}${"]".repeat(20_000)}`,
  ];
  for (const path of paths)
    for (const body of bodies)
      for (const type of ["application/json", "application/x-protobuf"]) {
        const { status, bytes } = await client.request("POST", path, {
          body,
          headers: { "Content-Type": type },
        });
        expect(status, `${path} ${body.slice(0, 60)}`).toBeLessThan(500);
        expect(bytes.length).toBeGreaterThan(0);
      }
  for (const path of [
    "%2e%2e/%2e%2e",
    "training_runs/%00",
    "samplers/%ff",
    "sessions/constructor",
    "training_runs?limit=-1",
  ])
    expect((await client.request("GET", path)).status).toBeLessThan(500);
  expect(one.faults).toEqual([]);
});
