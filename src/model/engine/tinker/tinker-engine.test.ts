import { cp, writeFile } from "node:fs/promises";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { afterAll, expect, test, vi } from "vitest";
import type { LoraOptions } from "../../../foundation/contract/index.ts";
import { served, tinyFolder } from "../serve/testing/wire-client.ts";
import { tinker } from "./index.ts";

afterAll(() => vi.unstubAllEnvs());
const folder = { kind: "folder", path: tinyFolder } as const;
const open = (baseUrl: string, apiKey = "k", model = "org/tiny") =>
  tinker({ baseUrl, apiKey, model }).open({ logFolder: "unused" });

test("what is wrong with a server is said before anything starts", async () => {
  vi.stubEnv("TINKER_BASE_URL", undefined);
  await expect(tinker({ model: "org/tiny" }).open({ logFolder: "" })).rejects.toMatchObject({
    code: "server-missing",
  });
  for (const apiKey of ["tml-k\n", "ключ"])
    await expect(open("http://127.0.0.1:9", apiKey)).rejects.toMatchObject({ code: "invalid-option" });
  await using one = await served();
  await using wrong = await open(one.server.url, "other");
  await expect(wrong.capabilities()).rejects.toMatchObject({ code: "server-refused-key", category: "user" });
  await using unknown = await open(one.server.url, "k", "org/none");
  await expect(unknown.capabilities()).rejects.toMatchObject({ code: "unknown-model" });
  await using nobody = await open("http://127.0.0.1:9");
  await expect(nobody.createModel({ source: folder })).rejects.toMatchObject({
    code: "server-unreachable",
    category: "environment",
  });
});

test("adapters that the API's form would make something else are refused before they are sent", async () => {
  await using one = await served();
  await using engine = await open(one.server.url);
  const wrong: readonly LoraOptions[] = [
    { rank: 0 },
    { rank: 0.5 },
    { rank: 1, modules: [] },
    { rank: 1, modules: ["mlp", "mystery" as "mlp"] },
  ];
  for (const lora of wrong)
    await expect(engine.createModel({ source: folder, lora }), JSON.stringify(lora)).rejects.toMatchObject({
      code: "bad-request",
    });
});

test("adapters that lie here are refused: the server has its model without them", async () => {
  await using one = await served();
  await using engine = await open(one.server.url);
  const path = join(one.folder, "adapters");
  await cp(tinyFolder, path, { recursive: true });
  await writeFile(join(path, "adapter_config.json"), "{}");
  await expect(engine.createModel({ source: { kind: "folder", path } })).rejects.toMatchObject({
    code: "unsupported",
    message: expect.stringContaining("holds adapters, and the server has org/tiny without them"),
  });
});

test("an address is the same with a slash at its end and without", async () => {
  await using one = await served();
  await using engine = await open(`${one.server.url}/`);
  const path = join(one.folder, "saved");
  await (await engine.createModel({ source: folder })).save({ path });
  await using again = await open(one.server.url);
  const source = { kind: "checkpoint", path, optimizer: false } as const;
  expect((await again.createModel({ source })).info.step).toBe(0);
});

test("a server is found by the SDK's own variables", async () => {
  await using one = await served();
  vi.stubEnv("TINKER_BASE_URL", one.server.url);
  vi.stubEnv("TINKER_API_KEY", "k");
  await using engine = await tinker({ model: "org/tiny" }).open({ logFolder: "" });
  expect((await engine.capabilities()).engine).toBe("tinker (tabular)");
});

test("what a server charges is a capability, and what was read is counted", async () => {
  await using one = await served();
  const given = { baseUrl: one.server.url, apiKey: "k", model: "org/tiny" };
  expect((await (await tinker(given).open({ logFolder: "" })).capabilities()).prices).toBeUndefined();
  const prices = { currency: "USD", read: 0.1, sampled: 0.3, trained: 0.9 };
  const definition = tinker({ ...given, prices });
  expect(definition.description).not.toHaveProperty("prices");
  await using engine = await definition.open({ logFolder: "" });
  expect((await engine.capabilities()).prices).toEqual(prices);
  await using model = await engine.createModel({ source: folder });
  const prompt = Int32Array.of(1, 2, 3);
  await using sampler = await model.snapshot();
  await sampler.sample([{ prompt, samples: 4, seed: 1, parameters: { maxTokens: 2, temperature: 1 } }]);
  expect(engine.cost()).toMatchObject({ tokensRead: 3, tokensTrained: 0 });
  await sampler.logprobs([Int32Array.of(1, 2, 3, 4, 5)]);
  const datum = { tokens: prompt, targets: Int32Array.of(2, 3, 4), weights: Float32Array.of(1, 1, 1) };
  await model.forward([datum], { loss: { name: "cross_entropy" } });
  expect(engine.cost()).toMatchObject({ tokensRead: 11, tokensTrained: 0 });
  await model.forwardBackward([datum], { loss: { name: "cross_entropy" } });
  expect(engine.cost()).toMatchObject({ tokensRead: 11, tokensTrained: 3 });
  expect(() => tinker({ ...given, prices: { ...prices, currency: "dollars" } })).toThrow(
    /"prices\.currency": expected the code of a currency, such as "USD"/,
  );
});

test("what a closed engine held is freed at once, and one whose server is gone closes all the same", async () => {
  const held = new Set<unknown>();
  await using one = await served({}, (inner) => {
    const create = inner.createModel.bind(inner);
    return Object.assign(inner, {
      createModel: async (options: Parameters<typeof create>[0]) => {
        const model = await create(options);
        held.add(model);
        const give = model[Symbol.asyncDispose].bind(model);
        return Object.assign(model, {
          [Symbol.asyncDispose]: async () => {
            held.delete(model);
            await give();
          },
        });
      },
    });
  });
  const sessions = async () => (await one.client.request("GET", "sessions")).body.sessions;
  const engine = await open(one.server.url);
  const model = await engine.createModel({ source: folder });
  await model.snapshot();
  expect([held.size, await sessions()]).toEqual([1, [one.client.session, expect.any(String)]]);
  await engine[Symbol.asyncDispose]();
  expect([held.size, await sessions()]).toEqual([0, [one.client.session]]);
  await expect(model.optimStep({ learningRate: 0 })).rejects.toMatchObject({ code: "engine-closed" });
  await engine[Symbol.asyncDispose]();

  const other = await served();
  const orphan = await open(other.server.url);
  await orphan.capabilities();
  await other[Symbol.asyncDispose]();
  await orphan[Symbol.asyncDispose]();
});

test("equal bits are claimed only where the order of arrival does not matter", async () => {
  for (const [deterministic, claimed] of [
    [["calls", "engines"], []],
    [
      ["calls", "engines", "batches"],
      ["calls", "engines", "batches"],
    ],
  ] as const) {
    await using one = await served({}, (inner) => {
      const says = inner.capabilities.bind(inner);
      return Object.assign(inner, { capabilities: async () => ({ ...(await says()), deterministic }) });
    });
    await using engine = await open(one.server.url);
    expect((await engine.capabilities()).deterministic).toEqual(claimed);
  }
});

test("a server that fails now and then is asked again, and a call is run once", async () => {
  await using one = await served();
  let requests = 0;
  // Answers every third request with 503, after the server has done it.
  const flaky = createServer((request, response) => {
    void (async () => {
      const chunks: Buffer[] = [];
      for await (const chunk of request) chunks.push(chunk as Buffer);
      const answer = await fetch(one.server.url + request.url, {
        method: request.method ?? "GET",
        headers: { "x-api-key": "k", "content-type": request.headers["content-type"] ?? "", prefer: "wait" },
        ...(request.method === "POST" ? { body: Buffer.concat(chunks) } : {}),
      });
      const body = Buffer.from(await answer.arrayBuffer());
      requests += 1;
      const status = requests % 3 === 0 ? 503 : answer.status;
      response.writeHead(status, { "content-type": answer.headers.get("content-type") ?? "" }).end(body);
    })();
  }).listen(0, "127.0.0.1");
  await new Promise((resolve) => flaky.once("listening", resolve));
  {
    await using engine = await open(`http://127.0.0.1:${(flaky.address() as AddressInfo).port}`);
    const model = await engine.createModel({ source: folder });
    for (let step = 1; step <= 6; step++) {
      const tokens = Int32Array.of(3, 4, 5);
      const data = [{ tokens, targets: tokens, weights: new Float32Array(3).fill(1) }];
      await model.forwardBackward(data, { loss: { name: "cross_entropy" } });
      expect(await model.optimStep({ learningRate: 0.01 })).toMatchObject({ step });
    }
    const direct = await open(one.server.url);
    const plain = await direct.createModel({ source: folder });
    const first = await plain.optimStep({ learningRate: 0 });
    expect(first).toMatchObject({ step: 1, gradientNorm: 0 });
    await direct[Symbol.asyncDispose]();
  }
  flaky.close();
  expect(requests).toBeGreaterThan(12);
});
