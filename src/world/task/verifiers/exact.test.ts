import { fc, test as property } from "@fast-check/vitest";
import { expect, test } from "vitest";
import type { Verifier } from "../../../foundation/contract/index.ts";
import { itemOf } from "../items.ts";
import { reverse } from "../reverse.ts";
import { type ExactOptions, exact } from "./exact.ts";

const base = itemOf(reverse(), { prompt: "1=", difficulty: 1 });
const scoreOf = async (verifier: Verifier, answer: string | undefined, text: string): Promise<unknown> => {
  const { answer: _, ...rest } = base;
  const item = answer === undefined ? rest : { ...rest, answer };
  const verdict = await verifier.verify(item, { text, complete: true });
  return verdict.outcome === "scored" ? verdict.score : verdict.reason;
};

test.each<[ExactOptions, string, string, number]>([
  [{}, "Rome", "Rome", 1],
  [{}, "Rome", " Rome\n", 1],
  [{}, " Rome ", "Rome", 1],
  [{}, "Rome", "rome", 0],
  [{}, "Rome", "Rome.", 0],
  [{}, "Rome", "The answer is Rome", 0],
  [{}, "caf\u00e9", "cafe\u0301", 1],
  [{ ignoreCase: true }, "Rome", "rOME", 1],
  [{ ignoreCase: true }, "Rome", "Roma", 0],
  [{ trim: false }, "Rome", " Rome", 0],
  [{ trim: false }, " Rome", " Rome", 1],
  [{ trim: false }, " ", " ", 1],
])("exact(%j) with the answer %j gives %j the score %d", async (options, answer, text, score) => {
  expect(await scoreOf(exact(options), answer, text)).toBe(score);
});

test("an answer that is empty or missing is a fault of the data", async () => {
  expect(exact().faultOf?.({ prompt: "", answer: " \n" })).toBe("the answer is empty");
  expect(exact().faultOf?.({ prompt: "" })).toBe("there is no answer to compare with");
  expect(await scoreOf(exact(), "", "")).toBe("the answer is empty");
  expect(await scoreOf(exact(), undefined, "")).toBe("there is no answer to compare with");
});

test("options define it, and wrong ones are refused", () => {
  expect(exact({ ignoreCase: true }).description).toEqual({ ignoreCase: true, trim: true });
  expect(() => exact({ ignorecase: true } as never)).toThrow(
    'there is no option "ignorecase"; did you mean "ignoreCase"?',
  );
});

property.prop([fc.string({ unit: "binary" }), fc.string({ unit: "binary" })])(
  "is equality, white space aside",
  async (answer, text) => {
    fc.pre(answer.trim() !== "");
    const same = answer.trim().normalize("NFC") === text.trim().normalize("NFC");
    expect(await scoreOf(exact(), answer, text)).toBe(same ? 1 : 0);
    expect(await scoreOf(exact(), answer, answer)).toBe(1);
  },
);
