import { describe, expect, test } from "vitest";
import { randomStream } from "../../foundation/base/index.ts";
import type { Task } from "../../foundation/contract/index.ts";
import { taskChecks } from "./conformance/task-checks.ts";
import { copy } from "./copy.ts";
import { itemOf } from "./items.ts";

const variants: readonly (readonly [string, Task])[] = [
  ["at its defaults", copy()],
  ["of three letters", copy({ alphabet: "abc" })],
  ["as in its example", copy({ lengths: [1, 8], alphabet: "abcdef" })],
];

describe.each(variants)("%s", (_name, task) => {
  for (const { name, run } of taskChecks(task)) test(name, run);
});

test("a string is answered with itself", () => {
  const task = copy();
  const item = itemOf(task, { prompt: "0123=", difficulty: 4 });
  expect(task.demonstrate(item, randomStream(0, "demonstrate"))).toBe("0123");
});
