import { setTimeout as sleep } from "node:timers/promises";
import { describe, expect, test } from "vitest";
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

describe("a function that answers later", () => {
  const never = new Promise<boolean>(() => {});
  const judgeWith = (verify: VerifierFromOptions["verify"], timeoutMs = 40) => {
    const verifier = verifierFrom({ name: "mine", verify, timeoutMs });
    const judge = async (text: string): Promise<Verdict> => verifier.verify(item, { text, complete: true });
    return { verifier, judge };
  };

  test("a request that it never answers is void, and says how long was waited", async () => {
    const { judge } = judgeWith((_, { text }) => (text === "hang" ? never : Promise.resolve(true)));
    expect(await Promise.all(["21", "hang", "21"].map(judge))).toEqual([
      { outcome: "scored", score: 1 },
      { outcome: "void", reason: 'verifier "mine" failed: gave no answer within 0.04 s' },
      { outcome: "scored", score: 1 },
    ]);
  });

  test("a long queue behind it is no silence", async () => {
    let queue: Promise<unknown> = Promise.resolve();
    const { judge } = judgeWith(() => {
      queue = queue.then(() => sleep(10));
      return queue.then(() => true);
    }, 100);
    const verdicts = await Promise.all(Array.from({ length: 30 }, () => judge("21")));
    expect(new Set(verdicts.map(({ outcome }) => outcome))).toEqual(new Set(["scored"]));
  });

  test("where nothing was ever answered the verifier has failed, by name, until it is closed", async () => {
    let mended = false;
    const { verifier, judge } = judgeWith(() => (mended ? Promise.resolve(true) : never));
    const failed = {
      code: "verifier-failed",
      category: "environment",
      message: expect.stringMatching(
        /^The verifier "mine" gave no answer within 0\.04 s, not once: .* raise timeoutMs/,
      ),
    };
    const asked = await Promise.allSettled([judge("1"), judge("2")]);
    for (const one of asked) expect(one).toMatchObject({ status: "rejected", reason: failed });
    mended = true;
    await expect(judge("3")).rejects.toMatchObject(failed);
    await verifier.close?.();
    expect(await judge("4")).toEqual({ outcome: "scored", score: 1 });
  });

  test("it has failed after the fourth silence in a row, also after answers", async () => {
    const { judge } = judgeWith((_, { text }) => (text === "hang" ? never : Promise.resolve(true)), 20);
    expect((await judge("21")).outcome).toBe("scored");
    const asked = await Promise.allSettled(Array.from({ length: 6 }, () => judge("hang")));
    expect(asked.map(({ status }) => status)).toEqual([
      ...Array.from({ length: 3 }, () => "fulfilled"),
      ...Array.from({ length: 3 }, () => "rejected"),
    ]);
    expect(asked.at(-1)).toMatchObject({ reason: { message: expect.stringContaining("4 times in a row") } });
  });

  test("what is computed meanwhile is no silence of the function's", async () => {
    const { judge } = judgeWith(() => sleep(15).then(() => true), 60);
    const asked = judge("21");
    const end = performance.now() + 150;
    while (performance.now() < end);
    expect(await asked).toEqual({ outcome: "scored", score: 1 });
  });
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
  [{ name: "x", verify: () => true, timeoutMs: 0 }, /option "timeoutMs"/],
  [{ name: "x", verify: () => true, canary: [] }, /no option "canary"; it takes|did you mean "canaries"/],
  [
    { name: "x", verify: () => true, canaries: [{ prompt: "a", right: true }] },
    /option "canaries.0.response"/,
  ],
])("wrong options are refused: %o", (options, message) => {
  expect(() => verifierFrom(options as never)).toThrow(message);
});
