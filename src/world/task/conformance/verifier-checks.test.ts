import { describe, expect, test } from "vitest";
import { isWhetstoneError } from "../../../foundation/base/index.ts";
import type { Verifier } from "../../../foundation/contract/index.ts";
import { exact } from "../verifiers/index.ts";
import { verifierChecks } from "./verifier-checks.ts";

const sound = exact();
const samples = ["Rome", "Oslo", "Bern"].map((answer) => ({ prompt: `Where is ${answer}?`, answer }));
const names = verifierChecks(sound, samples).map(({ name }) => name);

async function failures(verifier: Verifier): Promise<Map<string, string>> {
  const failed = new Map<string, string>();
  for (const { name, run } of verifierChecks(verifier, samples)) {
    try {
      await run();
    } catch (error) {
      failed.set(name, isWhetstoneError(error) ? error.message : `threw: ${error}`);
    }
  }
  return failed;
}

let calls = 0;
let busy = 0;
const faults: readonly (readonly [check: string, fault: string, change: Partial<Verifier>, says: RegExp])[] =
  [
    ["name, version and description make sense", "no name", { name: "" }, /it has no name/],
    ["name, version and description make sense", "half a version", { version: 0.5 }, /version is 0.5/],
    [
      "name, version and description make sense",
      "a list in the description",
      { description: { a: [] as never } },
      /says \[\] for a/,
    ],
    [
      "reference answers can be compared with",
      "an answer that it does not like",
      { faultOf: ({ answer }) => (answer === "Oslo" ? "cold" : undefined) },
      /refuses the answer "Oslo": cold/,
    ],
    [
      "reference answers can be compared with",
      "no reference answer at all",
      { faultOf: () => undefined },
      /an item without an answer/,
    ],
    [
      "it passes the canaries that it gives itself",
      "no difference",
      { verify: () => ({ outcome: "scored", score: 1 }) },
      /known to be wrong/,
    ],
    [
      "it passes the canaries that it gives itself",
      "no canaries",
      { canaries: () => [] },
      /0 known-right and 0 known-wrong/,
    ],
    [
      "an answer cut off by the token limit scores nothing",
      "no difference",
      { verify: (item, { text }) => sound.verify(item, { text, complete: true }) },
      /cut off by the token limit, is scored 1/,
    ],
    [
      "any text is scored, always the same way",
      "a coin",
      { verify: () => ({ outcome: "scored", score: calls++ % 2 }) },
      /and then/,
    ],
    [
      "any text is scored, always the same way",
      "an accident",
      {
        verify: (item, response) => {
          if (response.text === "NaN") throw new Error("oh");
          return sound.verify(item, response);
        },
      },
      /gives "NaN", .* no score: .*oh/,
    ],
    [
      "many at once are judged as one by one",
      "a shared state",
      {
        verify: async (item, response) => {
          busy += 1;
          const others = busy;
          await new Promise(setImmediate);
          busy -= 1;
          return others > 1 ? { outcome: "scored", score: 0 } : sound.verify(item, response);
        },
      },
      /among others and 1 alone/,
    ],
    [
      "it may be used again after it was closed",
      "an end for good",
      { close: () => Promise.reject(new Error("closed twice")) },
      /closed twice/,
    ],
  ];

test("a sound verifier keeps every promise", async () => {
  expect(await failures(sound)).toEqual(new Map());
  const { faultOf: _, canaries: __, ...bare } = sound;
  expect(await failures(bare)).toEqual(new Map());
});

describe.each(names)("%s", (name) => {
  const planted = faults.filter(([check]) => check === name);
  test("has a fault planted for it", () => {
    expect(planted.length).toBeGreaterThan(0);
  });
  test.each(planted.map(([, fault, change, says]) => [fault, change, says] as const))(
    "finds %s",
    async (_fault, change, says) => {
      expect((await failures({ ...sound, ...change })).get(name)).toMatch(says);
    },
  );
});

test("wants samples that differ", async () => {
  const [check] = verifierChecks(sound, samples.slice(0, 2));
  await expect(check?.run()).rejects.toThrow(/at least three samples with different answers/);
});
