import { expect, test } from "vitest";
import type { Split, Stratum, Task } from "../../../foundation/contract/index.ts";
import { reverse } from "../reverse.ts";
import { splitOf } from "../splits.ts";
import { listed } from "./listed.ts";
import { taskChecks } from "./task-checks.ts";

const plain = reverse({ lengths: [1, 2], growTo: 2, measureTo: 2 });
const splits: Record<Split, number> = { train: 0, validation: 0, decision: 0, audit: 0 };
for (const problem of plain.enumerate(2))
  splits[splitOf("reverse", plain.version, plain.canonical(problem))] += 1;

/** All strings of two digits, as a file would list them. */
function listing(change: Partial<Stratum>, more: Partial<Task> = {}): Task {
  return {
    ...plain,
    ...more,
    strata: plain.strata.map((one) => (one.difficulty === 2 ? { ...one, splits, ...change } : one)),
  };
}

test("a listed stratum passes every check", async () => {
  expect(Object.values(splits).every((count) => count > 0)).toBe(true);
  for (const { run } of taskChecks(listing({}))) await run();
});

test.each([
  ["a wrong count", listing({ distinct: 99 }), /says 99 distinct items and lists 100, 100 of them/],
  [
    "a wrong count of a split",
    listing({ splits: { ...splits, audit: splits.audit + 1 } }),
    /says \d+ audit items and lists \d+/,
  ],
  [
    "a line twice",
    listing(
      {},
      {
        *enumerate(length) {
          yield* plain.enumerate(length);
          yield* plain.enumerate(length);
        },
      },
    ),
    /lists 200, 100 of them distinct/,
  ],
  [
    "draws from elsewhere",
    listing({}, { generate: (length, random) => ({ ...plain.generate(length, random), prompt: "123=" }) }),
    /does not list "123", which is drawn/,
  ],
] as const)("%s is found", (_fault, task, says) => {
  expect(() => listed(task)).toThrow(says);
});
