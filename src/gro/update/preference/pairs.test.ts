import { describe, expect, test } from "vitest";
import { z } from "zod";
import { randomStream } from "../../../foundation/base/index.ts";
import type { Example, ScoredGroup } from "../../../foundation/contract/index.ts";
import { exampleLike, groupOf, letters } from "../../rollout/testing/fakes.ts";
import { type PairOptions, pairOptions, pairsOf } from "./pairs.ts";

const made = (
  groups: readonly ScoredGroup[],
  options: Partial<PairOptions> = {},
  demonstrations: readonly Example[] = [],
) => {
  const { pairs, ...counts } = pairsOf(
    groups,
    "solver",
    demonstrations,
    z.strictObject(pairOptions).parse(options),
    randomStream(0, "pairs"),
  );
  const words = pairs.map(({ chosen, rejected, weight }) => [
    `${chosen.example.answer}>${rejected.example.answer}`,
    weight,
  ]);
  return { words, counts };
};

const ranked = groupOf("a", [
  ["low", 0],
  ["mid", 0.5],
  ["high", 1],
  ["high", 1],
  ["void", null],
]);

describe("pairsOf", () => {
  test("sets the best against the worst, or every better one against every worse one", () => {
    expect(made([ranked])).toEqual({ words: [["high>low", 1]], counts: { taught: 1, skipped: 0 } });
    expect(made([ranked], { pairs: "all" }).words).toEqual([
      ["mid>low", 1],
      ["high>low", 1],
      ["high>mid", 1],
    ]);
  });

  test("draws at most so many of a prompt's pairs, alike each time", () => {
    const once = made([ranked], { pairs: "all", mostPairs: 2 });
    expect(once.words).toHaveLength(2);
    expect(made([ranked], { pairs: "all", mostPairs: 2 })).toEqual(once);
  });

  test("skips and counts what has no two different responses with different rewards; void ones are not there", () => {
    const same = groupOf("b", [
      ["x", 1],
      ["x", 0],
    ]);
    const equal = groupOf("c", [
      ["x", 1],
      ["y", 1],
    ]);
    const single = groupOf("d", [
      ["x", 1],
      ["y", null],
    ]);
    expect(made([same, equal, single, ranked]).counts).toEqual({ taught: 1, skipped: 3 });
    expect(made([groupOf("e", [["x", null]])]).counts).toEqual({ taught: 0, skipped: 0 });
  });

  test("compares only what answers the same tokens, of its own role", () => {
    const [first, second] = [groupOf("a", [["good", 1]]), groupOf("b", [["bad", 0]])];
    const mixed: ScoredGroup = { item: first.item, rollouts: [...first.rollouts, ...second.rollouts] };
    expect(made([mixed])).toEqual({ words: [], counts: { taught: 0, skipped: 2 } });
    expect(
      made([
        groupOf(
          "a",
          [
            ["good", 1],
            ["bad", 0],
          ],
          "peer",
        ),
      ]).counts,
    ).toEqual({ taught: 0, skipped: 0 });
  });

  test("weighs by the difference of rewards, and leaves out what is chosen with too little", () => {
    const votes = groupOf("a", [
      ["x", 0.75],
      ["y", 0.25],
    ]);
    expect(made([votes], { weight: "difference" }).words).toEqual([["x>y", 0.5]]);
    expect(made([votes], { least: 0.8 })).toEqual({ words: [], counts: { taught: 0, skipped: 1 } });
  });

  test("with length control the shortest of the good is chosen and the longest of the bad rejected", () => {
    const group = groupOf("a", [
      ["wordy answer", 1],
      ["brief", 0.95],
      ["no", 0],
      ["no, at length", 0.05],
    ]);
    expect(made([group]).words).toEqual([["wordy answer>no", 1]]);
    expect(made([group], { lengthControl: 0.1 }).words).toEqual([["brief>no, at length", 1]]);
  });

  test("sets demonstrations against what was written to the same prompt, where they differ", () => {
    const context = Int32Array.from([1, ...letters.encode("a")]);
    const shown = (answer: string): Example =>
      exampleLike({ context, answer, response: Int32Array.from([...letters.encode(answer), 2]) });
    const written = groupOf("a", [
      ["x", 0],
      ["y", 1],
    ]);
    expect(made([written, groupOf("b", [["z", 1]])], { pairs: "demonstration" }, [shown("y")])).toEqual({
      words: [["y>x", 1]],
      counts: { taught: 1, skipped: 1 },
    });
  });
});
