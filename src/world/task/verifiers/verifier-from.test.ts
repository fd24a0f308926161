import { expect, test } from "vitest";
import type { Verdict } from "../../../foundation/contract/index.ts";
import { itemOf } from "../items.ts";
import { reverse } from "../reverse.ts";
import { type VerifierFromOptions, verifierFrom } from "./verifier-from.ts";

const item = { ...itemOf(reverse(), { prompt: "12=", difficulty: 2 }), answer: "21" };
const verdictBy = async (verify: VerifierFromOptions["verify"], complete = true): Promise<Verdict> =>
  await verifierFrom({ name: "mine", verify }).verify(item, { text: "21", complete });

test.each<[unknown, Verdict]>([
  [true, { outcome: "scored", score: 1 }],
  [false, { outcome: "scored", score: 0 }],
  [0.5, { outcome: "scored", score: 0.5 }],
  [Promise.resolve(true), { outcome: "scored", score: 1 }],
  [
    { outcome: "scored", score: 1, parts: { form: 0.5 } },
    { outcome: "scored", score: 1, parts: { form: 0.5 } },
  ],
  [
    { outcome: "void", reason: "no network" },
    { outcome: "void", reason: "no network" },
  ],
])("%j becomes a verdict", async (judgement, verdict) => {
  expect(await verdictBy(() => judgement as boolean)).toEqual(verdict);
});

test.each([2, -0.1, Number.NaN, "yes", undefined, null, {}, { outcome: "scored", score: 3 }, 1n, () => true])(
  "%s is no score",
  async (judgement) => {
    expect(await verdictBy(() => judgement as never)).toMatchObject({
      outcome: "void",
      reason: expect.stringMatching(/which is no score from 0 to 1/),
    });
  },
);

test("what it throws or rejects with is void", async () => {
  const reason = 'verifier "mine" failed: out of files';
  const fail = (): never => {
    throw new Error("out of files");
  };
  expect(await verdictBy(fail)).toEqual({ outcome: "void", reason });
  expect(await verdictBy(async () => fail())).toEqual({ outcome: "void", reason });
});

test("it is not shown what the token limit cut off", async () => {
  let shown = 0;
  expect(
    await verdictBy(() => {
      shown += 1;
      return true;
    }, false),
  ).toEqual({ outcome: "scored", score: 0 });
  expect(shown).toBe(0);
});

test("it is shown the item and the response", async () => {
  expect(
    await verdictBy(({ answer, prompt }, { text }) => prompt === "12=" && text === answer),
  ).toMatchObject({ score: 1 });
});

test("its canaries are the answers, or those that are given", () => {
  const texts = (options: Partial<VerifierFromOptions>): unknown[] =>
    (verifierFrom({ name: "mine", verify: () => true, ...options }).canaries?.(item, ["21", "34"]) ?? []).map(
      ({ response, right }) => [response.text, response.complete, right],
    );
  expect(texts({})).toEqual([
    ["21", true, true],
    ["21", false, false],
    ["", true, false],
    ["34", true, false],
  ]);
  expect(texts({ canaries: [{ prompt: "a", response: "b", right: true }] })).toEqual([["b", true, true]]);
});

test.each<[object, RegExp]>([
  [{ name: "", verify: () => true }, /option "name"/],
  [{ name: "x", verify: 3 }, /option "verify": expected a function/],
  [{ name: "x", verify: () => true, version: 0 }, /option "version"/],
  [{ name: "x", verify: () => true, canary: [] }, /no option "canary"; it takes|did you mean "canaries"/],
  [
    { name: "x", verify: () => true, canaries: [{ prompt: "a", right: true }] },
    /option "canaries.0.response"/,
  ],
])("wrong options are refused: %o", (options, message) => {
  expect(() => verifierFrom(options as never)).toThrow(message);
});
