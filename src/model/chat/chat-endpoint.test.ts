import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import type { ChatModelReply } from "../../foundation/contract/index.ts";
import { chatEndpoint } from "./index.ts";
import { type ChatServer, chatServer, completion, refusal } from "./testing/endpoint.ts";

beforeEach(() => {
  vi.stubEnv("OPENAI_BASE_URL", undefined);
  vi.stubEnv("OPENAI_API_KEY", undefined);
});
afterEach(() => vi.unstubAllEnvs());

const messages = [
  { role: "system", content: "Be short." },
  { role: "user", content: "2+2?" },
];
const ask = (server: ChatServer, more: object = {}, options: object = {}): Promise<ChatModelReply> =>
  chatEndpoint({ baseUrl: server.url, apiKey: "secret", model: "small", ...more }).answer(messages, {
    maxTokens: 5,
    ...options,
  });

test("messages go to the endpoint as they are, and its text comes back", async () => {
  await using server = await chatServer(() => completion("4"));
  expect(await ask(server, {}, { temperature: 0, topP: 0.9, seed: 3 })).toEqual({
    text: "4",
    complete: true,
    logprobs: { told: false, reason: "they were not asked for" },
    tokens: { prompt: 7, answer: 3 },
  });
  expect(server.requests).toEqual([
    {
      authorization: "Bearer secret",
      path: "/v1/chat/completions",
      body: { model: "small", messages, max_tokens: 5, seed: 3, temperature: 0, top_p: 0.9 },
    },
  ]);
});

test("what limits an answer is told, and an answer without text is an empty one", async () => {
  await using server = await chatServer((_, number) =>
    completion(number === 1 ? "4 is" : null, { finish: number === 1 ? "length" : "stop" }),
  );
  expect(await ask(server)).toMatchObject({ text: "4 is", complete: false });
  expect(await ask(server)).toMatchObject({ text: "", complete: true });
});

describe("logprobs", () => {
  const of = async (text: string, logprobs: Parameters<typeof completion>[1]): Promise<unknown> => {
    await using server = await chatServer(() => completion(text, logprobs));
    const { logprobs: told } = await ask(server, {}, { logprobs: true });
    expect(server.requests[0]?.body.logprobs).toBe(true);
    return told;
  };
  const token = (text: string, logprob: number | null, bytes?: number[]) => ({
    token: text,
    logprob,
    ...(bytes && { bytes }),
  });

  test("are the endpoint's own, byte by byte", async () => {
    const half = [0xc3];
    const other = [0xa9];
    const logprobs = [token("a", -0.5), token("\ufffd", -1, half), token("\ufffd", -2, other)];
    expect(await of("aé", { logprobs })).toEqual({
      told: true,
      tokens: [
        { bytes: Buffer.from("a"), logprob: -0.5 },
        { bytes: Uint8Array.from(half), logprob: -1 },
        { bytes: Uint8Array.from(other), logprob: -2 },
      ],
    });
  });

  test("leave out the token that ended the answer", async () => {
    const told = await of("4", { logprobs: [token("4", -0.1), token("<|im_end|>", -0.2)] });
    expect(told).toEqual({ told: true, tokens: [{ bytes: Buffer.from("4"), logprob: -0.1 }] });
  });

  test.each([
    ["sent no logprobs", {}],
    ["sent no logprobs", { logprobs: [] }],
    ["sent null", { logprobs: [token("4", null)] }],
    ["sent 0.7", { logprobs: [token("4", 0.7)] }],
    ["other tokens than its text", { logprobs: [token("5", -0.1)] }],
    ["other tokens than its text", { logprobs: [token("4", -0.1), token("x", -1), token("y", -1)] }],
  ])("are none where the endpoint %s: nothing is invented", async (reason, said) => {
    expect(await of("4", said)).toEqual({ told: false, reason: expect.stringContaining(reason) });
  });

  test("are asked for once where the endpoint refuses them", async () => {
    await using server = await chatServer(({ body }) =>
      body.logprobs === true ? refusal(400, "logprobs is not supported") : completion("4"),
    );
    const model = chatEndpoint({ baseUrl: server.url, model: "small" });
    for (let turn = 0; turn < 2; turn++)
      expect(await model.answer(messages, { maxTokens: 5, logprobs: true })).toMatchObject({
        text: "4",
        logprobs: { told: false, reason: "the endpoint refuses to tell them" },
      });
    expect(server.requests.map(({ body }) => body.logprobs)).toEqual([true, undefined, undefined]);
  });
});

test("an endpoint that has another name for the token limit is asked by that", async () => {
  await using server = await chatServer(({ body }) =>
    "max_tokens" in body
      ? refusal(400, "Unsupported parameter: use 'max_completion_tokens' instead.")
      : completion("4"),
  );
  expect(await ask(server)).toMatchObject({ text: "4" });
  expect(server.requests[1]?.body).toMatchObject({ max_completion_tokens: 5 });
});

describe("faults", () => {
  test("a busy endpoint is asked again, as often as was said", async () => {
    await using server = await chatServer((_, number) =>
      number < 3 ? refusal(number === 1 ? 429 : 503, "busy") : completion("4"),
    );
    expect(await ask(server, { retries: 2 })).toMatchObject({ text: "4" });
    await using never = await chatServer(() => refusal(503, "busy"));
    await expect(ask(never, { retries: 1 })).rejects.toMatchObject({
      code: "endpoint-failed",
      category: "environment",
    });
    expect(never.requests.length).toBe(2);
  });

  test.each([
    [401, "bad key", "endpoint-refused-key", "user"],
    [400, "the conversation is too long", "endpoint-refused", "user"],
    [404, "no model small", "endpoint-refused", "user"],
  ])("%i is not tried again", async (status, message, code, category) => {
    await using server = await chatServer(() => refusal(status, message));
    const error = await ask(server).catch((thrown: unknown) => thrown);
    expect(error).toMatchObject({ code, category, message: expect.stringContaining(message) });
    expect((error as Error).message).not.toContain("secret");
    expect(server.requests.length).toBe(1);
  });

  test.each([[{ choices: [] }], ["not JSON"], [{}]])("an answer of %j is none", async (body) => {
    await using server = await chatServer(() => ({ body }));
    await expect(ask(server, { retries: 0 })).rejects.toMatchObject({ code: "endpoint-failed" });
  });

  test("silence, absence and a user who no longer waits", async () => {
    await using server = await chatServer(() => ({ ...completion("4"), afterMs: 400 }));
    await expect(ask(server, { timeoutMs: 50, retries: 0 })).rejects.toMatchObject({
      code: "endpoint-timeout",
      category: "environment",
    });
    const nobody = chatEndpoint({ baseUrl: "http://127.0.0.1:9/v1", model: "small", retries: 0 });
    await expect(nobody.answer(messages, { maxTokens: 5 })).rejects.toMatchObject({
      code: "endpoint-unreachable",
      category: "environment",
    });
    const reason = new Error("enough");
    await expect(ask(server, {}, { signal: AbortSignal.abort(reason) })).rejects.toBe(reason);
  });
});

test("address and key come from the SDK's own variables, and no key is told", async () => {
  const missing = chatEndpoint({ model: "small" }).answer(messages, { maxTokens: 5 });
  await expect(missing).rejects.toMatchObject({ code: "endpoint-key-missing", category: "user" });
  await using server = await chatServer(() => completion("4"));
  vi.stubEnv("OPENAI_BASE_URL", server.url);
  vi.stubEnv("OPENAI_API_KEY", "from-the-environment");
  const model = chatEndpoint({ model: "small" });
  expect(await model.answer(messages, { maxTokens: 5 })).toMatchObject({ text: "4" });
  expect(server.requests[0]?.authorization).toBe("Bearer from-the-environment");
  expect(chatEndpoint({ model: "small", apiKey: "secret", baseUrl: "http://me:pass@host/v1" })).toMatchObject(
    {
      name: "small",
      description: { model: "small", baseUrl: "http://host/v1" },
    },
  );
  expect(() => chatEndpoint({ model: "small", baseURL: "x" } as never)).toThrow(/did you mean "baseUrl"/);
});
