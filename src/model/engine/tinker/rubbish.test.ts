import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { isWhetstoneError } from "../../../foundation/base/index.ts";
import type { Datum, EngineModel } from "../../../foundation/contract/index.ts";
import { modelName, type Served, served, tinyFolder } from "../serve/testing/wire-client.ts";
import { tinker } from "./index.ts";
import { writePassOutput } from "./wire/forward-backward.ts";
import { writeSamples } from "./wire/sample-response.ts";

let inner: Served;
beforeAll(async () => {
  inner = await served();
});
afterAll(async () => {
  await inner[Symbol.asyncDispose]();
});

interface Said {
  readonly status?: number;
  readonly body: object | string | Uint8Array;
}

interface Rubbish extends AsyncDisposable {
  readonly url: string;
  /** From now on this is what requests to these paths are answered with. */
  say(path: string, ...said: readonly Said[]): void;
  readonly asked: ReadonlyMap<string, number>;
}

/** Our server, which answers some paths with whatever it is told, one after the other, the last again and again. */
async function rubbish(): Promise<Rubbish> {
  const says = new Map<string, Said[]>();
  const asked = new Map<string, number>();
  const server = createServer((request, response) => {
    void (async () => {
      const parts: Buffer[] = [];
      for await (const part of request) parts.push(part as Buffer);
      const path = (request.url ?? "").replace("/api/v1/", "");
      asked.set(path, (asked.get(path) ?? 0) + 1);
      const left = says.get(path);
      const said = left !== undefined && left.length > 1 ? left.shift() : left?.[0];
      if (said !== undefined) {
        const { status = 200, body } = said;
        const type = body instanceof Uint8Array ? "application/x-protobuf" : "application/json";
        response.writeHead(status, { "content-type": type });
        response.end(typeof body === "string" || body instanceof Uint8Array ? body : JSON.stringify(body));
        return;
      }
      const { "content-type": type = "", prefer } = request.headers;
      const answer = await fetch(inner.server.url + request.url, {
        method: request.method ?? "GET",
        headers: {
          "x-api-key": "k",
          "content-type": type,
          ...(prefer === undefined ? {} : { prefer: String(prefer) }),
        },
        ...(request.method === "POST" ? { body: Buffer.concat(parts) } : {}),
      });
      response.writeHead(answer.status, { "content-type": answer.headers.get("content-type") ?? "" });
      response.end(Buffer.from(await answer.arrayBuffer()));
    })().catch((error: unknown) => response.writeHead(400).end(String(error)));
  }).listen(0, "127.0.0.1");
  await new Promise((resolve) => server.once("listening", resolve));
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    say: (path, ...said) => void says.set(path, [...said]),
    asked,
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

const source = { kind: "folder", path: tinyFolder } as const;
const loss = { name: "cross_entropy" } as const;
const tokens = Int32Array.of(3, 4, 5);
const data: Datum[] = [{ tokens, targets: tokens, weights: Float32Array.of(1, 1, 0) }];
const requests = [{ prompt: tokens, samples: 2, seed: 1, parameters: { maxTokens: 3 } }];
const open = (url: string) =>
  tinker({ baseUrl: url, apiKey: "k", model: modelName, probe: false }).open({ logFolder: "unused" });
const floats = (...values: number[]) => Float32Array.from(values);
const sampled = (...sequences: readonly (readonly [number[], number[]])[]): Uint8Array =>
  writeSamples({
    sequences: sequences.map(([ids, logprobs]) => ({
      tokens: Int32Array.from(ids),
      logprobs: floats(...logprobs),
      stopReason: "length",
    })),
  });
const passed = (...logprobs: Float32Array[]): Uint8Array =>
  writePassOutput({ metrics: { "loss:sum": 1 }, logprobs });

const sample = async (model: EngineModel) => (await model.snapshot()).sample(requests);
const score = async (model: EngineModel) => (await model.snapshot()).logprobs([tokens]);
const forward = (model: EngineModel) => model.forward(data, { loss });
const anything: readonly Said["body"][] = [{}, [], "null", "<html>gateway</html>", "", { error: null }];
const binary: readonly Uint8Array[] = [Buffer.from("rubbish"), Buffer.alloc(0), Buffer.alloc(200, 0xff)];

describe("a server that answers rubbish is named, whatever it answers", () => {
  const refused = async (work: Promise<unknown>, what: string): Promise<void> => {
    const error = await work.then(
      (value) => `${what}: it was taken for ${JSON.stringify(value)}`,
      (thrown: unknown) => thrown,
    );
    expect(isWhetstoneError(error), `${what}: ${String(error)}`).toBe(true);
  };

  test.each(["get_server_capabilities", "create_session"])("in %s", async (path) => {
    await using server = await rubbish();
    for (const body of [...anything, { supported_models: [null] }, { supported_models: "x" }]) {
      server.say(path, { body });
      await using engine = await open(server.url);
      await refused(engine.capabilities(), JSON.stringify(body));
    }
  });

  test("a server that answers everything is not ours", async () => {
    await using server = await rubbish();
    server.say("whetstone/capabilities", { body: { engine: "gateway" } });
    await using engine = await open(server.url);
    expect((await engine.capabilities()).engine).toBe(`tinker (${server.url})`);
  });

  test("in making, training, saving and sampling", async () => {
    await using server = await rubbish();
    await using engine = await open(server.url);
    const verbs: readonly (readonly [
      string,
      (model: EngineModel) => Promise<unknown>,
      readonly Said["body"][],
    ])[] = [
      ["create_model", () => engine.createModel({ source }), anything],
      [
        "get_info",
        () => engine.createModel({ source }),
        [...anything, { whetstone: { vocabularySize: "x" } }],
      ],
      ["create_sampling_session", () => engine.loadSampler({ source }), anything],
      [
        "forward_backward",
        forward,
        [
          ...anything,
          ...binary,
          passed(),
          passed(floats(-1, -1)),
          passed(floats(-1, Number.NaN, -1)),
          passed(floats(-1, Number.NEGATIVE_INFINITY, -1)),
          passed(floats(-1, -1, -1), floats(-1)),
        ],
      ],
      ["save_weights", (model) => model.save({ path: join(inner.folder, "never") }), anything],
      ["save_weights_for_sampler", (model) => model.snapshot(), anything],
      [
        "asample",
        sample,
        [
          ...anything,
          ...binary,
          sampled([[3], [-1]]),
          sampled([[3], [-1]], [[4], []]),
          sampled([[3], [-1]], [[], []]),
          sampled([[3], [-1]], [[48], [-1]]),
        ],
      ],
      ["asample", score, [...anything, ...binary, sampled([[3], [-1]])]],
    ];
    for (const [path, call, bodies] of verbs)
      for (const body of bodies) {
        const model = await engine.createModel({ source });
        server.say(path, { body });
        await refused(
          call(model),
          `${path} ${body instanceof Uint8Array ? Buffer.from(body).toString("hex") : JSON.stringify(body)}`,
        );
        server.say(path);
        // It goes on where the server does.
        expect((await forward(await engine.createModel({ source }))).logprobs[0]).toHaveLength(3);
      }
  });
});

test("most probable tokens that were asked for are missed, and so are some of them", async () => {
  await using server = await rubbish();
  await using engine = await open(server.url);
  const sampler = await engine.loadSampler({ source });
  const top = (k: number, positions: number) => ({
    k,
    tokens: new Int32Array(k * positions),
    logprobs: new Float32Array(k * positions),
  });
  const one = { tokens: Int32Array.of(3, 4), logprobs: floats(-1, -1), stopReason: "length" } as const;
  const answered = async (of: object, ask: () => Promise<unknown>) => {
    server.say("asample", { body: writeSamples({ sequences: [one], ...of }) });
    return ask();
  };
  const sampling = [
    { prompt: tokens, samples: 1, seed: 1, parameters: { maxTokens: 2, topLogprobs: 2 } },
  ] as const;
  const sample = () => sampler.sample(sampling);
  const score = () => sampler.score?.([tokens], { top: 2 }) ?? Promise.resolve([]);
  const scored = { promptLogprobs: floats(Number.NaN, -1, -1) };
  for (const wrong of [undefined, top(1, 2), top(2, 1)]) {
    const sequences = [wrong === undefined ? one : { ...one, top: wrong }];
    await expect(answered({ sequences }, sample)).rejects.toMatchObject({ code: "server-refused" });
    const prompt = wrong === undefined ? scored : { ...scored, topPromptLogprobs: wrong };
    await expect(answered(prompt, score)).rejects.toMatchObject({ code: "server-refused" });
  }
  expect(await answered({ sequences: [{ ...one, top: top(2, 2) }] }, sample)).toHaveLength(1);
  expect(await answered({ ...scored, topPromptLogprobs: top(2, 3) }, score)).toHaveLength(1);
});

test("a result that is not there yet is asked for again, however the server says so, and not without a breath", async () => {
  await using server = await rubbish();
  await using engine = await open(server.url);
  const model = await engine.createModel({ source });
  const expected = await forward(model);
  const pending = { type: "try_again", request_id: "r", queue_state: "active" };
  server.say("forward_backward", { body: { request_id: "r" } });
  const result = passed(...expected.logprobs);
  server.say("retrieve_future", { status: 408, body: pending }, { body: pending }, { body: result });
  expect((await forward(model)).logprobs).toEqual(expected.logprobs);
  expect(server.asked.get("retrieve_future")).toBe(3);
  server.say("retrieve_future", { status: 408, body: pending });
  const forever = forward(model);
  forever.catch(() => undefined);
  await new Promise((resolve) => setTimeout(resolve, 300));
  expect(server.asked.get("retrieve_future")).toBeLessThan(3 + 20);
  // Until nobody waits for it any more.
  await engine[Symbol.asyncDispose]();
  await expect(forever).rejects.toMatchObject({ code: "server-unreachable" });
});

test("a server that its proxy says is away is waited for, and so is one that has too many requests", async () => {
  await using server = await rubbish();
  await using engine = await open(server.url);
  const model = await engine.createModel({ source });
  const expected = await forward(model);
  const body = "<html>gateway</html>";
  const away = [502, 503, 504, 429, 502].map((status) => ({ status, body }));
  server.say("forward_backward", ...away, { body: passed(...expected.logprobs) });
  expect((await forward(model)).logprobs).toEqual(expected.logprobs);
});

test("of draws of which one was refused no more are asked for", async () => {
  await using server = await rubbish();
  await using engine = await open(server.url);
  const sampler = await engine.loadSampler({ source });
  const refused = { status: 400, body: { error: "no", category: "user", code: "unsupported" } };
  server.say("asample", refused, { body: sampled([[3], [-1]], [[4], [-1]]) });
  const many = Array.from({ length: 500 }, () => requests[0] as (typeof requests)[0]);
  await expect(sampler.sample(many)).rejects.toMatchObject({ code: "bad-request" });
  await new Promise((resolve) => setTimeout(resolve, 300));
  expect(server.asked.get("asample")).toBeLessThanOrEqual(2 * 64);
});
