import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test, vi } from "vitest";
import * as whetstone from "../src/index.ts";

const api: Readonly<Record<string, unknown>> = { ...whetstone };
const { defineRun, isWhetstoneError, reverse, tabular, withParameters } = whetstone;

const names = Object.keys(api).filter((name) => name !== "WhetstoneError");
const functions = names.map((name): [string, (...values: unknown[]) => unknown] => [
  name,
  api[name] as (...values: unknown[]) => unknown,
]);

/** What a function does with arguments that its types forbid: nothing, or the error that it throws. */
async function outcomeOf(
  call: (...values: unknown[]) => unknown,
  values: readonly unknown[],
): Promise<unknown> {
  try {
    const made = call(...values);
    await (made !== null && typeof made === "object" && "next" in made
      ? (made as AsyncGenerator).next()
      : made);
    return undefined;
  } catch (error) {
    return error;
  }
}

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "whetstone-misuse-"));
  vi.spyOn(process, "cwd").mockReturnValue(folder);
});
afterAll(() => {
  vi.restoreAllMocks();
  rmSync(folder, { recursive: true });
});

const definition = defineRun({ task: reverse({ lengths: [1, 3], growTo: 6 }), engine: tabular() });
const forbidden: readonly (readonly unknown[])[] = [
  [],
  [null],
  [3],
  [[]],
  [() => 1],
  [{ noSuchOption: 1 }],
  [undefined, null],
  [{}, { noSuchOption: 1 }],
  [definition, null],
  [definition, 3],
  [definition, { folder: 3 }],
  [definition, { noSuchOption: 1 }],
];

test.each(functions)("%s never throws a raw error, whatever it is given", async (_name, call) => {
  for (const values of forbidden) {
    const error = await outcomeOf(call, values);
    if (error !== undefined && !isWhetstoneError(error)) throw error;
  }
});

/** What takes a value or several, and no object of options: a task, a path, an error. */
const takeNoOptions = ["isWhetstoneError", "withParameters"];

test.each(functions.filter(([name]) => !takeNoOptions.includes(name)))(
  "%s refuses an option that it does not have, in a sentence that names the function",
  async (name, call) => {
    const first = ["auditRun", "compareWeights", "plan", "run"].includes(name) ? [definition] : [];
    expect(await outcomeOf(call, [...first, { noSuchOption: 1 }])).toMatchObject({
      code: "invalid-option",
      message: expect.stringMatching(new RegExp(`^${name}(\\(\\)|: )`)),
    });
  },
);

describe("what has a run as its first argument", () => {
  const open = withParameters({ seed: 0 }, ({ seed }) => defineRun({ task: reverse(), seed }));
  test.each(["run", "plan", "auditRun", "compareWeights"] as const)(
    "%s says how it gets one",
    async (name) => {
      const sentenceOf = async (first: unknown) =>
        (await outcomeOf(api[name] as (...values: unknown[]) => unknown, [first])) as Error;
      expect((await sentenceOf({ task: reverse() })).message).toBe(
        `${name}(): expected what defineRun({ task: … }) returns as the first argument, received its options: call defineRun() with them.`,
      );
      expect((await sentenceOf(open)).message).toContain("give config.define({}) as the first argument");
      expect((await sentenceOf(undefined)).message).toContain("received undefined");
      expect((await sentenceOf([])).message).toContain("received an array");
    },
  );
});

test("the folder that is left out is the current one", async () => {
  const small = defineRun({
    task: reverse({ lengths: [1, 4] }),
    engine: tabular(),
    prepare: whetstone.supervised({ on: whetstone.demonstrations(), steps: 5, learningRate: 0.3 }),
    budget: { rounds: 0 },
  });
  expect((await whetstone.plan(small)).name).toBe("reverse");
  const { run } = await whetstone.run(small);
  using ledger = whetstone.readLedger();
  expect(ledger?.runs().map(({ id }) => id)).toEqual([run]);
  expect(whetstone.readMetrics().length).toBeGreaterThan(0);
  for await (const followed of whetstone.followRun()) expect(followed).toMatchObject({ run, running: false });
  await using chat = await whetstone.openChat();
  expect(chat.run).toBe(run);
  expect((await whetstone.auditRun(small, { perStratum: 8 })).map(({ of }) => of)).toEqual([
    "base",
    "champion",
  ]);
  expect((await whetstone.compareWeights(small, { perStratum: 8 })).gain.mean).toBe(0);
  await expect(whetstone.rollback()).rejects.toMatchObject({ code: "nothing-to-roll-back" });
  await expect(whetstone.exportModel({ to: join(folder, "out") })).rejects.toMatchObject({
    code: "not-exportable",
  });
});
