import { cp, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import type { Engine, Sampler, Tokenizer } from "../../foundation/contract/index.ts";
import { tabular } from "../engine/tabular/index.ts";
import { loadTokenizer } from "../text/index.ts";
import { policyChat } from "./index.ts";

let folder: string;
let engine: Engine;
let sampler: Sampler;
let tokenizer: Tokenizer;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "whetstone-chat-"));
  const path = join(folder, "model");
  await cp(join(import.meta.dirname, "../../../examples/models/tiny"), path, { recursive: true });
  const template = "{% for message in messages %}{{ message.content }}={% endfor %}";
  await writeFile(join(path, "chat_template.jinja"), template);
  tokenizer = await loadTokenizer(path);
  engine = await tabular().open({ logFolder: folder });
  const trained = await engine.createModel({ source: { kind: "folder", path, seed: 1 } });
  // "1+1=" is answered with "2" and the end, whatever comes first.
  const prompt = tokenizer.chat?.prompt([{ role: "user", content: "1+1" }]) ?? new Int32Array();
  const answer = Int32Array.of(...tokenizer.encode("2"), tokenizer.endToken);
  const whole = Int32Array.of(...prompt, ...answer);
  const weights = new Float32Array(whole.length - 1).fill(1, prompt.length - 1);
  for (let step = 0; step < 40; step++) {
    const data = [{ tokens: whole.slice(0, -1), targets: whole.slice(1), weights }];
    await trained.forwardBackward(data, { loss: { name: "cross_entropy" } });
    await trained.optimStep({ learningRate: 0.5 });
  }
  sampler = await trained.snapshot();
});
afterAll(async () => {
  await engine[Symbol.asyncDispose]();
  await rm(folder, { recursive: true });
});

const question = [{ role: "user", content: "1+1" }];

test("a policy answers messages through its template, with logprobs that it recomputes", async () => {
  const model = policyChat({ role: "policy", sampler, tokenizer });
  const reply = await model.answer(question, { maxTokens: 8, temperature: 0, logprobs: true });
  expect(reply).toMatchObject({ text: "2", complete: true, tokens: { answer: 2 } });
  if (!reply.logprobs.told) throw new Error(reply.logprobs.reason);
  expect(reply.logprobs.tokens.map(({ bytes }) => Buffer.from(bytes).toString())).toEqual(["2"]);
  const prompt = tokenizer.chat?.prompt(question) ?? new Int32Array();
  expect(reply.tokens?.prompt).toBe(prompt.length);
  const [scored = new Float32Array()] = await sampler.logprobs([
    Int32Array.of(...prompt, ...tokenizer.encode("2")),
  ]);
  expect(reply.logprobs.tokens[0]?.logprob).toBeCloseTo(scored.at(-1) as number, 6);
  expect(model.description).toEqual({
    policy: "policy",
    weights: sampler.weightVersion,
    tokenizer: tokenizer.name,
  });
});

test("what was not asked for is not told, and a limit is", async () => {
  const model = policyChat({ role: "policy", sampler, tokenizer });
  expect(await model.answer(question, { maxTokens: 1, temperature: 0 })).toEqual({
    text: "2",
    complete: false,
    logprobs: { told: false, reason: "they were not asked for" },
    tokens: { prompt: tokenizer.chat?.prompt(question).length, answer: 1 },
  });
});

test("a seed gives the same answer, another one another", async () => {
  const model = policyChat({ role: "policy", sampler, tokenizer });
  const ask = async (seed: number) =>
    (await model.answer([{ role: "user", content: "9" }], { maxTokens: 12, temperature: 3, seed })).text;
  expect(await ask(1)).toBe(await ask(1));
  expect(await ask(1)).not.toBe(await ask(2));
});

test("a policy without a template, and what is none, are refused", async () => {
  const { chat: _, ...plain } = tokenizer;
  expect(() => policyChat({ role: "policy", sampler, tokenizer: plain })).toThrow(
    expect.objectContaining({ code: "no-chat-template", category: "user" }),
  );
  expect(() => policyChat({} as never)).toThrow(expect.objectContaining({ code: "invalid-option" }));
  const model = policyChat({ role: "policy", sampler, tokenizer });
  await expect(model.answer(question, { maxTokens: 1, signal: AbortSignal.abort() })).rejects.toThrow(
    /abort/,
  );
});
