import { expect, test } from "vitest";
import { addTallies } from "../../gro/method/tally.ts";
import { computeOf } from "./compute.ts";

test("what copies sampled and trained counts as what the policy did", () => {
  const own = addTallies([{ tokensSampled: 10, promptsRead: 5, positionsTrained: 7 }]);
  expect(computeOf(own)).toBe(2 * 15 + 6 * 7);
  expect(computeOf({ ...own, trialTokensSampled: 4, trialPositionsTrained: 3 })).toBe(
    2 * 15 + 6 * 7 + 2 * 4 + 6 * 3,
  );
});
