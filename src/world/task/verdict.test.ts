import { describe, expect, test } from "vitest";
import { WhetstoneError } from "../../foundation/base/index.ts";
import type { Verdict } from "../../foundation/contract/index.ts";
import { itemOf } from "./items.ts";
import { reverse } from "./reverse.ts";
import { verdictOf } from "./verdict.ts";

const task = reverse();
const item = itemOf(task, { prompt: "123=", difficulty: 3 });
const response = { text: "321", complete: true };

function verdictBy(verify: () => Verdict | Promise<Verdict>): Promise<Verdict> {
  return verdictOf({ verifier: { name: "planted", version: 1, verify } }, item, response);
}

describe("verdictOf", () => {
  test("is what the verifier says", async () => {
    expect(await verdictOf(task, item, response)).toEqual({ outcome: "scored", score: 1 });
    const parts = { outcome: "scored", score: 0.5, parts: { format: 1 } } as const;
    expect(await verdictBy(() => parts)).toBe(parts);
    expect(await verdictBy(() => ({ outcome: "void", reason: "no sandbox" }))).toEqual({
      outcome: "void",
      reason: "no sandbox",
    });
  });

  test("waits for a verifier that takes its time", async () => {
    expect(await verdictBy(async () => ({ outcome: "scored", score: 1 }))).toEqual({
      outcome: "scored",
      score: 1,
    });
    expect(await verdictBy(async () => Promise.reject(new Error("gone")))).toMatchObject({ outcome: "void" });
  });

  test("is void where the verifier throws", async () => {
    const failing = (): Verdict => {
      throw new Error("out of files");
    };
    expect(await verdictBy(failing)).toEqual({
      outcome: "void",
      reason: 'verifier "planted" failed: out of files',
    });
    expect(await verdictOf(task, { ...item, prompt: "12" }, response)).toMatchObject({
      outcome: "void",
      reason: expect.stringContaining('cannot read the prompt "12"'),
    });
  });

  test("is none where the verifier has given up", async () => {
    const gone = new WhetstoneError({ code: "verifier-failed", category: "environment", message: "gone" });
    await expect(verdictBy(() => Promise.reject(gone))).rejects.toBe(gone);
  });

  test.each([-0.1, 1.1, Number.NaN, Number.POSITIVE_INFINITY, undefined])(
    "is void for the score %s",
    async (score) => {
      expect(await verdictBy(() => ({ outcome: "scored", score: score as number }))).toEqual({
        outcome: "void",
        reason: `verifier "planted" gave the score ${score}`,
      });
    },
  );

  test("is void where the verifier gives no verdict at all", async () => {
    expect(await verdictBy(() => undefined as never)).toMatchObject({ outcome: "void" });
  });
});
