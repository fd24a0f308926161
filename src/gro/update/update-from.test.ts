import { describe, expect, test } from "vitest";
import { randomStream } from "../../foundation/base/index.ts";
import type { ScoredGroup } from "../../foundation/contract/index.ts";
import { reverse } from "../../world/task/index.ts";
import { noModels } from "../rollout/testing/fakes.ts";
import type { UpdatePart } from "./part.ts";
import { policyGradient } from "./policy/policy-gradient.ts";
import { type TabularPolicy, tabularPolicy } from "./testing/tabular-policy.ts";
import { type LossOfResponses, updateFrom } from "./update-from.ts";

const attempts: readonly (readonly [string, readonly (readonly [string, number | null])[]])[] = [
  [
    "ab",
    [
      ["c", 1],
      ["dd", 0.5],
      ["d", null],
    ],
  ],
  [
    "ba",
    [
      ["a", 0],
      ["cc", 1],
    ],
  ],
];

/** −Σ (r − ½)·log p, per response. */
const pushed: LossOfResponses = (responses) => ({
  loss:
    -responses.reduce((sum, { reward, logprobs }) => sum + (reward - 0.5) * total(logprobs), 0) /
    responses.length,
  slopes: responses.map(({ reward, logprobs }) => logprobs.map(() => -(reward - 0.5) / responses.length)),
});

function total(numbers: Float32Array): number {
  return numbers.reduce((sum, one) => sum + one, 0);
}

async function groupsOf(table: TabularPolicy): Promise<ScoredGroup[]> {
  const groups: ScoredGroup[] = [];
  for (const [prompt, tried] of attempts) groups.push(await table.group(prompt, tried));
  return groups;
}

async function updated(table: TabularPolicy, part: UpdatePart) {
  const groups = await groupsOf(table);
  const random = randomStream(0, "update-from");
  const learning = { groups, replay: { base: [], older: [] }, random };
  const to = part.steps({ newest: 0, base: 0 }, { ...learning, role: "solver" });
  return part.update({
    ...learning,
    policy: table.policy,
    task: reverse(),
    models: { ...noModels, ...table.models },
    from: 0,
    to,
  });
}

describe("updateFrom", () => {
  test("moves weights as the loss says: by finite differences of its value", async () => {
    const rate = 1e-3;
    await using table = await tabularPolicy({ sgd: true });
    const lossNow = async (): Promise<number> => {
      const each = await Promise.all(
        attempts.flatMap(([prompt, tried]) =>
          tried.flatMap(([text, reward]) =>
            reward === null ? [] : [table.logprob(prompt, text).then((logprob) => -(reward - 0.5) * logprob)],
          ),
        ),
      );
      return each.reduce((sum, one) => sum + one, 0) / each.length;
    };
    const part = (loss: LossOfResponses): UpdatePart =>
      updateFrom({ name: "pushed", loss, learningRate: rate, gradientClipNorm: 0 });
    const before = await lossNow();
    const { losses, tokensTrained } = await updated(table, part(pushed));
    const after = await lossNow();
    expect(losses).toHaveLength(1);
    expect(tokensTrained).toBe(2 + 3 + 2 + 3);
    expect(after).toBeLessThan(before);
    // A negated derivative goes back, to the first order of the step.
    await updated(
      table,
      part((responses) => {
        const { loss, slopes } = pushed(responses);
        return { loss, slopes: slopes.map((own) => Float32Array.from(own, (slope) => -slope)) };
      }),
    );
    expect(Math.abs((await lossNow()) - before)).toBeLessThan((before - after) / 10);
  });

  test("is the same step as a part that has the same loss", async () => {
    const rest = { learningRate: 0.01, optimizerState: "fresh", gradientClipNorm: 0 } as const;
    const own = updateFrom({
      name: "reinforce",
      loss: (responses) => {
        const tokens = responses.reduce((sum, { logprobs }) => sum + logprobs.length, 0);
        return {
          loss: 0,
          slopes: responses.map(({ reward, logprobs, sampled }) =>
            logprobs.map((logprob, at) => (-reward * Math.exp(logprob - (sampled[at] ?? 0))) / tokens),
          ),
        };
      },
      ...rest,
    });
    const named = policyGradient({
      advantages: "none",
      loss: "importance_sampling",
      average: "tokens",
      ...rest,
    });
    const ends: number[][] = [];
    for (const part of [own, named]) {
      await using table = await tabularPolicy();
      await updated(table, part);
      ends.push([...(await table.next("ab", "abcd")), ...(await table.next("ba", "abcd"))]);
    }
    const [mine = [], theirs = []] = ends;
    for (const [place, logprob] of mine.entries()) expect(logprob).toBeCloseTo(theirs[place] ?? 0, 5);
    await using untouched = await tabularPolicy();
    expect((await untouched.next("ab", "c"))[0]).not.toBeCloseTo(mine[2] ?? 0, 3);
  });

  test("divides items into minibatches, each with all its responses, every item once an epoch", async () => {
    await using table = await tabularPolicy();
    const seen: (readonly string[])[] = [];
    const part = updateFrom({
      name: "seen",
      loss: (responses) => {
        seen.push(responses.map(({ item, text, group }) => `${item.prompt} ${text} ${group}`));
        return pushed(responses);
      },
      minibatches: 5,
      epochs: 2,
    });
    const { losses } = await updated(table, part);
    expect(losses).toHaveLength(4);
    const first = ["ab c 0", "ab dd 0"];
    const second = ["ba a 0", "ba cc 0"];
    for (const epoch of [seen.slice(0, 2), seen.slice(2)]) expect(epoch.toSorted()).toEqual([first, second]);
  });

  test("learns nothing where nothing has a reward", async () => {
    await using table = await tabularPolicy();
    const group = await table.group("ab", [["c", null]]);
    const random = randomStream(0, "none");
    const learning = { groups: [group], replay: { base: [], older: [] }, random, role: "solver" };
    expect(updateFrom({ name: "none", loss: pushed }).steps({ newest: 0, base: 0 }, learning)).toBe(0);
  });

  test.each<readonly [string, LossOfResponses, RegExp]>([
    ["no value", () => ({ loss: Number.NaN, slopes: [] }), /“own” gave NaN for its value/],
    ["nothing", () => undefined as never, /gave undefined for its value/],
    ["too few responses", () => ({ loss: 0, slopes: [[0]] }), /slopes of 1 responses, of 4/],
    [
      "too few tokens",
      (all) => ({ loss: 0, slopes: all.map(() => [0]) }),
      /1 slopes for "c", which has 2 tokens/,
    ],
    [
      "a slope that is none",
      (all) => ({ loss: 0, slopes: all.map(({ logprobs }) => logprobs.map(() => Number.NaN)) }),
      /the slope NaN for "c"/,
    ],
  ])("refuses %s", async (_, loss, message) => {
    await using table = await tabularPolicy();
    await expect(updated(table, updateFrom({ name: "own", loss }))).rejects.toThrow(message);
    await expect(updated(table, updateFrom({ name: "own", loss }))).rejects.toMatchObject({
      code: "bad-loss",
    });
  });
});
