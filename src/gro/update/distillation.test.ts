import { describe, expect, test } from "vitest";
import { randomStream } from "../../foundation/base/index.ts";
import type { ScoredGroup, Task } from "../../foundation/contract/index.ts";
import { reverse } from "../../world/task/index.ts";
import { FakeModel, FakeSampler, groupOf, letters, policyOf } from "../rollout/testing/fakes.ts";
import { onPolicyDistillation } from "./distillation.ts";
import { tabularPolicy } from "./testing/tabular-policy.ts";
import { unlikelihood } from "./unlikelihood.ts";

const rest = {
  replay: { base: [], older: [] },
  task: reverse(),
  random: randomStream(0, "distil"),
  from: 0,
  to: 1,
};
const group = groupOf("ab", [
  ["c", 0],
  ["void", null],
]);

const teaching = async (options: Parameters<typeof onPolicyDistillation>[0], task: Task = reverse()) => {
  const model = new FakeModel();
  const asked: string[] = [];
  const read: string[] = [];
  const teacher = new FakeSampler(() => "", "teacher", -0.2);
  const logprobs = teacher.logprobs.bind(teacher);
  teacher.logprobs = (sequences) => {
    read.push(...sequences.map((sequence) => letters.decode(sequence)));
    return logprobs(sequences);
  };
  await onPolicyDistillation(options).update({
    ...rest,
    task,
    policy: policyOf(model),
    groups: [group],
    models: {
      reference: async (role, which) => {
        asked.push(`${role} at ${which}`);
        return { role, sampler: teacher, tokenizer: letters };
      },
    },
  });
  return { trained: model.trained, asked, read };
};

describe("onPolicyDistillation", () => {
  test("a token's advantage is what the teacher gives it more than who wrote it did", async () => {
    const { trained, asked, read } = await teaching({ teacher: "elder", weights: "base" });
    expect(asked).toEqual(["elder at base"]);
    expect(read).toEqual(["abc"]);
    expect(trained[0]?.options.loss).toEqual({ name: "importance_sampling" });
    // Sampled at −.5, taught at −.2; two tokens, the end among them.
    const [datum] = trained[0]?.data ?? [];
    expect([...(datum?.advantages ?? [])].map((one) => one.toFixed(4))).toEqual([
      "0.0000",
      "0.0000",
      "0.1500",
      "0.1500",
    ]);
    expect(trained[0]?.data).toHaveLength(1);
  });

  test("with a hint the teacher reads the answer, and the learner still does not", async () => {
    const task: Task = {
      ...reverse(),
      prompts: { hint: ({ prompt, answer }) => ({ prompt: `${prompt}!${answer}:` }) },
    };
    const { trained, read } = await teaching({ hint: true }, task);
    expect(read).toEqual(["ab!ba:c"]);
    expect(letters.decode(trained[0]?.data[0]?.tokens ?? new Int32Array())).toBe("abc");
    await expect(teaching({ hint: true })).rejects.toMatchObject({ code: "no-words" });
  });

  test("on a table it stays at the teacher's weights, and goes back to them from others", async () => {
    await using table = await tabularPolicy({ sgd: true });
    const answers = ["a", "b", "c", "d"];
    const written = await table.group(
      "ab",
      answers.map((text) => [text, 1] as const),
    );
    const before = await table.next("ab", "abcd");
    const home = await table.logprob("ab", "c");
    const step = (groups: readonly ScoredGroup[]) =>
      onPolicyDistillation({ learningRate: 2 }).update({
        ...rest,
        policy: table.policy,
        models: table.models,
        groups,
      });
    await step([written]);
    expect((await table.next("ab", "abcd")).map((one, index) => one - (before[index] ?? 0))).toEqual(
      before.map(() => expect.closeTo(0, 5)),
    );
    const liked = await table.group("ab", [
      ["c", 1],
      ["d", 0],
    ]);
    await unlikelihood({ epochs: 4, learningRate: 1 }).update({
      ...rest,
      policy: table.policy,
      models: table.models,
      groups: [liked],
      to: 4,
    });
    const away = await table.logprob("ab", "c");
    expect(away).toBeGreaterThan(home + 0.1);
    for (let round = 0; round < 10; round++) await step([await table.group("ab", [["c", 1]])]);
    expect(await table.logprob("ab", "c")).toBeLessThan(away - 0.05);
  });

  test("says what it needs", () => {
    expect(onPolicyDistillation({ weights: "base" })).toMatchObject({
      references: ["base"],
      needs: { losses: ["importance_sampling"] },
    });
    expect(() => onPolicyDistillation({ weights: "old" } as object)).toThrow(/"weights"/);
  });
});
