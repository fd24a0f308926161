import { describe, expect, test } from "vitest";
import { randomStream } from "../../foundation/base/index.ts";
import { reverse } from "../../world/task/index.ts";
import {
  FakeModel,
  groupOf,
  itemOf,
  judgedByLetter,
  letters,
  noModels,
  policyOf,
  rolloutOf,
} from "../rollout/testing/fakes.ts";
import { learnVerdicts } from "./learn-verdicts.ts";

const task = judgedByLetter(reverse());

describe("learnVerdicts", () => {
  test("two verdicts that begin alike cannot be told apart", async () => {
    const alike = { ...task, prompts: { ...task.prompts, verdictWords: ["right", "rong"] as const } };
    expect(() => learnVerdicts().check?.(alike, letters)).toThrow(
      expect.objectContaining({ code: "no-verdict" }),
    );
    expect(() => learnVerdicts().check?.(task, letters)).not.toThrow();
    const model = new FakeModel();
    const groups = [groupOf("a", [["x", 1]])];
    await expect(
      (async () =>
        learnVerdicts().update({
          policy: policyOf(model),
          groups,
          replay: { base: [], older: [] },
          task: alike,
          models: noModels,
          random: randomStream(0, "x"),
          from: 0,
          to: 1,
        }))(),
    ).rejects.toMatchObject({ code: "no-verdict" });
  });

  const learn = async (options: Parameters<typeof learnVerdicts>[0], groups = scoredGroups) => {
    const model = new FakeModel();
    const part = learnVerdicts({ steps: 1, ...options });
    const outcome = await part.update({
      policy: policyOf(model, "verifier"),
      groups,
      replay: { base: [], older: [] },
      task,
      models: noModels,
      random: randomStream(0, "verdicts"),
      from: 0,
      to: 1,
    });
    const lessons = (model.trained[0]?.data ?? []).map(({ tokens, targets, weights }) => [
      letters.decode(Int32Array.of(...tokens, targets.at(-1) ?? 0)),
      weights?.at(-1),
      weights?.filter((one) => one !== 0).length,
    ]);
    return { model, outcome, lessons: lessons.sort() };
  };
  const item = itemOf("ab");
  const scoredGroups = [
    {
      item,
      rollouts: [
        { rollout: rolloutOf(item, "ba"), reward: 1, parts: { other: 0 } },
        { rollout: rolloutOf(item, "x"), reward: 0, parts: {} },
        { rollout: rolloutOf(item, "void"), reward: null, parts: {} },
        // A critique of it, which answers nothing.
        { rollout: rolloutOf(itemOf("critique"), "z"), reward: 1, parts: {} },
      ],
    },
  ];

  test("teaches the token of the verdict after the question, and nothing of what has none", async () => {
    const { lessons, outcome } = await learn({});
    expect(lessons).toEqual([
      ["ab>ba?y", 0.5, 1],
      ["ab>x?n", 0.5, 1],
    ]);
    expect(outcome.tokensTrained).toBe(2);
  });

  test("of the item alone, as often as it is solved; of a part of the score, where one is named", async () => {
    const half = [{ item, rollouts: [{ rollout: rolloutOf(item, "ba"), reward: 0.25, parts: {} }] }];
    expect((await learn({ of: "item" }, half)).lessons).toEqual([
      ["abn", 0.375, 1],
      ["aby", 0.125, 1],
    ]);
    expect((await learn({ part: "other" })).lessons).toEqual([["ab>ba?n", 1, 1]]);
  });

  test("a reward that is no chance is refused, not cut off", async () => {
    const scored = (reward: number) => [
      { item, rollouts: [{ rollout: rolloutOf(item, "ba"), reward, parts: {} }] },
    ];
    for (const reward of [1.5, -0.1, Number.NaN])
      await expect(async () => learn({}, scored(reward))).rejects.toMatchObject({ code: "no-chance" });
    expect((await learn({}, scored(1 + 1e-9))).lessons).toEqual([["ab>ba?y", 1, 1]]);
  });

  test("makes no step where there is no verdict", async () => {
    const { model, outcome } = await learn({}, [{ item, rollouts: [] }]);
    expect(model.log).toEqual([]);
    expect(outcome.tokensTrained).toBe(0);
  });

  test("refuses what it does not have", () => {
    expect(() => learnVerdicts({ of: "outcomes" } as object)).toThrow(/did you mean "outcome"/);
  });
});
