import { expect, test } from "vitest";
import { randomStream, userError, WhetstoneError } from "../../../foundation/base/index.ts";
import type { Message, Tokenizer } from "../../../foundation/contract/index.ts";
import { FakeSampler, letters, type Speak } from "../../../gro/rollout/testing/fakes.ts";
import { conversation, type Speaker } from "./conversation.ts";

const render = (messages: readonly Message[]): string =>
  messages.map(({ role, content }) => `[${role}:${content}]`).join("");
const format = {
  render,
  prompt: (messages: readonly Message[]) => letters.encode(render(messages)),
  answer: (_messages: readonly Message[], response: string) => letters.encode(response),
};
const conversational: Tokenizer = { ...letters, stopTokens: [3], chat: format };
const speakerOf = (name: "champion" | "base", speak: Speak, tokenizer: Tokenizer = conversational) => {
  const sampler = new FakeSampler(speak);
  const model = { of: name, also: [], round: 0, checkpoint: name } as const;
  return { model, tokenizer, sampler } satisfies Speaker;
};
const talk = (speakers: readonly Speaker[]) =>
  conversation("1-run", speakers, { temperature: 0.5, maxTokens: 9, random: randomStream(1, "chat") });

test("each keeps its own side of the conversation, until it is cleared", async () => {
  const heard: string[] = [];
  const base = speakerOf("base", (prompt) => {
    heard.push(prompt);
    return "no";
  });
  const chat = talk([speakerOf("champion", () => "yes"), base]);
  expect(chat.conversational).toBe(true);
  const said = await chat.ask("ready");
  expect(said.map(({ of, text, complete, tokens }) => [of, text, complete, tokens])).toEqual([
    ["champion", "yes", true, 4],
    ["base", "no", true, 3],
  ]);
  await chat.ask("sure");
  chat.clear();
  await chat.ask("again");
  expect(heard).toEqual(["[user:ready]", "[user:ready][assistant:no][user:sure]", "[user:again]"]);
});

test("asks with the tokenizer's stop tokens, and another seed each turn, the same for all", async () => {
  const [one, two] = [speakerOf("champion", () => "a"), speakerOf("base", () => "b")];
  const chat = talk([one, two]);
  await chat.ask("x");
  await chat.ask("y");
  const requests = [one, two].map(({ sampler }) => sampler.calls.flat());
  expect(requests[0]?.[0]?.parameters).toEqual({ maxTokens: 9, temperature: 0.5, stopTokens: [2, 3] });
  const seeds = requests.map((asked) => asked.map(({ seed }) => seed));
  expect(seeds[0]).toEqual(seeds[1]);
  expect(new Set(seeds[0]).size).toBe(2);
});

test("without a chat template each prompt stands alone, behind the begin token", async () => {
  const plain = speakerOf("base", (prompt) => ({ text: prompt, cut: true }), letters);
  const chat = talk([plain]);
  expect(chat.conversational).toBe(false);
  await chat.ask("ab");
  const [second] = await chat.ask("cd");
  expect(second).toMatchObject({ text: "cd", complete: false });
  expect(plain.sampler.calls[1]?.[0]?.prompt).toEqual(Int32Array.of(1, 99, 100));
});

test("what cannot be asked leaves the conversation as it was", async () => {
  const heard: string[] = [];
  let long = false;
  const speaker = speakerOf("champion", (prompt) => {
    if (long)
      throw new WhetstoneError({
        code: "too-long",
        category: "engine",
        message: "70 positions, and the model has 64",
      });
    heard.push(prompt);
    return "ok";
  });
  const chat = talk([speaker]);
  long = true;
  await expect(chat.ask("a")).rejects.toThrow(
    /no longer fits the model \(70 positions.*ask something shorter/,
  );
  long = false;
  await chat.ask("b");
  long = true;
  await expect(chat.ask("c")).rejects.toMatchObject({ code: "conversation-too-long", category: "user" });
  await expect(chat.ask("c")).rejects.toThrow("`/clear`");
  long = false;
  await chat.ask("d");
  expect(heard.at(-1)).toBe("[user:b][assistant:ok][user:d]");
  const refusal = (): never => {
    throw userError("special-token-in-text", "no");
  };
  const refusing: Tokenizer = { ...conversational, chat: { ...format, prompt: refusal } };
  await expect(talk([{ ...speaker, tokenizer: refusing }]).ask("<end>")).rejects.toMatchObject({
    code: "special-token-in-text",
  });
});
