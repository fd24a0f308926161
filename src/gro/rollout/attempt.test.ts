import { describe, expect, test } from "vitest";
import type { SampleRequest } from "../../foundation/contract/index.ts";
import { attempt } from "./attempt.ts";
import { chatty, FakeSampler, itemOf, letters, samplingOf } from "./testing/fakes.ts";

const base = { samples: 1, temperature: 0, maxTokens: () => 8, seed: 7 };
const echo = (prompt: string): string => prompt.toUpperCase();

describe("attempt", () => {
  test("makes one group an item, in order, each sample a rollout", async () => {
    const policy = samplingOf((prompt, sample) => `${prompt}${sample}`, "peer");
    const items = [itemOf("ab"), itemOf("c")];
    const groups = await attempt({ ...base, policy, items, samples: 3, temperature: 0.7 });
    expect(groups.map(({ item }) => item)).toEqual(items);
    expect(groups.map(({ rollouts }) => rollouts.map(({ response }) => response.text))).toEqual([
      ["ab0", "ab1", "ab2"],
      ["c0", "c1", "c2"],
    ]);
    const rollout = groups[0]?.rollouts[2];
    expect(rollout).toMatchObject({
      item: items[0],
      role: "peer",
      weightVersion: "model@0",
      temperature: 0.7,
      sample: 2,
      response: { complete: true },
    });
    expect(rollout?.segments).toEqual([
      { kind: "context", tokens: Int32Array.from([1, 97, 98]) },
      { kind: "sampled", tokens: Int32Array.from([97, 98, 50, 2]), logprobs: new Float32Array(4).fill(-0.5) },
    ]);
  });

  test("says what it asks the engine for, and nothing that was not asked", async () => {
    const policy = samplingOf(echo);
    await attempt({ ...base, policy, items: [itemOf("ab")], maxTokens: ({ difficulty }) => difficulty + 3 });
    await attempt({ ...base, policy, items: [itemOf("ab")], temperature: 1, topP: 0.9 });
    expect(policy.sampler.calls.map(([request]) => request?.parameters)).toEqual([
      { maxTokens: 5, temperature: 0, stopTokens: [2] },
      { maxTokens: 8, temperature: 1, stopTokens: [2], topP: 0.9 },
    ]);
  });

  test("an item's numbers depend on the seed and the item, not on what stands beside it", async () => {
    const seedsOf = async (prompts: readonly string[], seed = 7): Promise<Map<string, number>> => {
      const policy = samplingOf(echo);
      await attempt({ ...base, policy, items: prompts.map((prompt) => itemOf(prompt)), seed });
      const requests: SampleRequest[] = policy.sampler.calls.flat();
      return new Map(requests.map(({ prompt, seed: own }) => [letters.decode(prompt), own]));
    };
    const many = Array.from({ length: 1200 }, (_, index) => `x${index}`);
    const together = await seedsOf(many);
    expect(await seedsOf(["x700"])).toEqual(new Map([["x700", together.get("x700")]]));
    expect((await seedsOf(many.toReversed())).get("x3")).toBe(together.get("x3"));
    expect(new Set(together.values()).size).toBe(1200);
    expect((await seedsOf(["x700"], 8)).get("x700")).not.toBe(together.get("x700"));
    for (const seed of together.values())
      expect(Number.isInteger(seed) && seed >= 0 && seed < 2 ** 48).toBe(true);
  });

  test("travels in calls of bounded size, of which a few wait at once, and tells how far it is", async () => {
    const told: number[] = [];
    const policy = samplingOf(echo);
    const items = Array.from({ length: 1300 }, (_, index) => itemOf(`${index}`));
    const groups = await attempt({ ...base, policy, items, onProgress: (done) => told.push(done) });
    expect(policy.sampler.calls.map(({ length }) => length)).toEqual([512, 512, 276]);
    expect(told).toEqual([512, 1024, 1300]);
    expect(groups.map(({ item }) => item)).toEqual(items);
    expect(await attempt({ ...base, policy, items: [] })).toEqual([]);
  });

  test("a call that fails fails the attempt, and leaves no other failure unheard", async () => {
    const sampler = new FakeSampler(echo);
    let calls = 0;
    sampler.sample = async () => {
      calls += 1;
      throw new Error(`call ${calls}`);
    };
    const items = Array.from({ length: 2000 }, (_, index) => itemOf(`${index}`));
    await expect(attempt({ ...base, policy: { ...samplingOf(echo), sampler }, items })).rejects.toThrow(
      "call 1",
    );
  });

  test("a response that the limit cut off is incomplete, and keeps its last token", async () => {
    const policy = samplingOf(() => ({ text: "123", cut: true }));
    const [group] = await attempt({ ...base, policy, items: [itemOf("a")] });
    expect(group?.rollouts[0]?.response).toEqual({ text: "123", complete: false });
  });

  test("whichever token ends a response, its text is what stands before, and the token is kept", async () => {
    const policy = { ...samplingOf(() => ({ text: "ok\u0005", cut: true })), tokenizer: chatty };
    const [group] = await attempt({ ...base, policy, items: [itemOf("a")] });
    const [rollout] = group?.rollouts ?? [];
    expect(policy.sampler.calls[0]?.[0]?.parameters.stopTokens).toEqual([2, 5]);
    expect(rollout?.response).toEqual({ text: "ok", complete: true });
    expect(rollout?.segments[1]?.tokens).toEqual(Int32Array.of(111, 107, 5));
  });

  test("a model with a chat template is asked by it", async () => {
    const policy = { ...samplingOf(() => "ok"), tokenizer: chatty };
    const [group] = await attempt({ ...base, policy, items: [itemOf("ab")] });
    expect(group?.rollouts[0]?.segments[0]?.tokens).toEqual(chatty.encode("user:ab;assistant:"));
  });

  test("an empty response is complete when it ends at once", async () => {
    const [group] = await attempt({ ...base, policy: samplingOf(() => ""), items: [itemOf("a")] });
    expect(group?.rollouts[0]?.response).toEqual({ text: "", complete: true });
    expect(group?.rollouts[0]?.segments[1]?.tokens).toEqual(Int32Array.of(2));
  });
});
