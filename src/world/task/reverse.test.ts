import { fc, test as property } from "@fast-check/vitest";
import { describe, expect, test } from "vitest";
import { randomStream } from "../../foundation/base/index.ts";
import type { Task } from "../../foundation/contract/index.ts";
import { runCanaries } from "./canaries.ts";
import { taskChecks } from "./conformance/task-checks.ts";
import { itemOf } from "./items.ts";
import { reverse } from "./reverse.ts";
import { exactAnswer } from "./verifiers/exact-answer.ts";

const variants: readonly (readonly [string, Task])[] = [
  ["at its defaults", reverse()],
  ["as in the quickstart", reverse({ lengths: [1, 8], growTo: 16, measureTo: 18 })],
  ["of two letters", reverse({ lengths: [2, 12], alphabet: "ab" })],
  ["of characters of one to four bytes", reverse({ lengths: [1, 4], alphabet: "aé€𝄞" })],
  ["of one length", reverse({ lengths: [5, 5], growTo: 5, measureTo: 5 })],
];

describe.each(variants)("%s", (_name, task) => {
  for (const { name, run } of taskChecks(task)) test(name, run);
});

test.each([
  ["1=", "1"],
  ["12345678=", "87654321"],
  ["0010=", "0100"],
])("%s is answered %s", (prompt, answer) => {
  const task = reverse();
  const item = itemOf(task, { prompt, difficulty: answer.length });
  expect(task.demonstrate(item, randomStream(0, "demonstrate"))).toBe(answer);
});

property.prop([
  fc.uniqueArray(fc.constantFrom(..."abcdé€𝄞01"), { minLength: 2 }),
  fc.tuple(fc.integer({ min: 1, max: 12 }), fc.integer({ min: 2, max: 12 })),
  fc.nat(3),
])(
  "its canaries tell a reversed string from a copied one, whatever the alphabet and lengths",
  async (alphabet, [one, other], more) => {
    const [low, high] = [Math.min(one, other), Math.max(one, other)];
    const task = reverse({
      alphabet: alphabet.join(""),
      lengths: [low, high],
      growTo: high,
      measureTo: high + more,
    });
    const { right, wrong } = await runCanaries(task);
    expect(wrong).toBeGreaterThan(right);
    const copying: Task = { ...task, verifier: exactAnswer((prompt) => prompt.slice(0, -1)) };
    await expect(runCanaries(copying)).rejects.toThrow(/is known to be/);
  },
);
