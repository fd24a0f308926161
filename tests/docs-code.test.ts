import { describe, expect, test } from "vitest";
import { checkMethod } from "../src/gro/method/index.ts";
import * as whetstone from "../src/index.ts";
import { defined } from "./docs-code.ts";

test.each(["rightAndBrief", "centredMethod", "proposing"])(
  "the method %s of docs/methods.md can be run",
  (name) => {
    const method = defined<whetstone.Method>("methods.md", name);
    expect(() => checkMethod(method)).not.toThrow();
    expect(method.passes.length).toBeGreaterThan(0);
  },
);

describe("the task of docs/tasks.md", () => {
  const task = defined<whetstone.Task>("tasks.md", "sortLetters");
  for (const { name, run } of whetstone.taskChecks(task)) test(name, run);
});

test("the engine that a program opens in docs/engines.md learns what it is shown", async () => {
  type Learnt = (
    definition: whetstone.EngineDefinition,
    folder: string,
    line: readonly number[],
  ) => Promise<number[]>;
  const learnt = defined<Learnt>("engines.md", "learnt");
  expect(await learnt(whetstone.tabular(), "examples/models/tiny", [5, 6, 7, 8, 9, 10])).toEqual([8, 9, 10]);
});
