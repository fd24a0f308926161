import { fc, test as property } from "@fast-check/vitest";
import { describe, expect, test } from "vitest";
import { additionForms } from "./addition-form.ts";

const forms = Object.entries(additionForms);

test.each([
  ["interleaved", "392819=", "2111"],
  ["reversed", "321+989=", "2111"],
  ["plain", "123+989=", "1112"],
] as const)("123 + 989 in the form %s", (name, prompt, answer) => {
  expect(additionForms[name].write("123", "989")).toBe(prompt);
  expect(additionForms[name].read(prompt)).toEqual(["123", "989"]);
  expect(additionForms[name].writeSum("1112")).toBe(answer);
});

test.each([
  ["interleaved", "4004="],
  ["reversed", "40+04="],
  ["plain", undefined],
] as const)("zeros in front, 04 + 40, in the form %s", (name, prompt) => {
  if (prompt !== undefined) expect(additionForms[name].write("04", "40")).toBe(prompt);
  expect(additionForms[name].read(prompt ?? "04+40=")).toEqual(prompt && ["04", "40"]);
});

test("only plain sums leave out a carry of zero", () => {
  expect(forms.map(([name, form]) => [name, form.writeSum("0579")])).toEqual([
    ["interleaved", "9750"],
    ["plain", "579"],
    ["reversed", "9750"],
  ]);
  expect(additionForms.plain.writeSum("00")).toBe("0");
});

describe.each(forms)("%s", (_name, form) => {
  const number = (digits: number): fc.Arbitrary<string> =>
    fc
      .tuple(
        fc.integer({ min: form.leadingZeros || digits === 1 ? 0 : 1, max: 9 }),
        fc.array(fc.integer({ min: 0, max: 9 }), { minLength: digits - 1, maxLength: digits - 1 }),
      )
      .map(([first, others]) => `${first}${others.join("")}`);
  const operands = fc
    .integer({ min: 1, max: 30 })
    .chain((digits) => fc.tuple(number(digits), number(digits)));

  property.prop([operands])("reads what it writes", ([left, right]) => {
    const prompt = form.write(left, right);
    expect(form.read(prompt)).toEqual([left, right]);
    expect([...prompt].every((character) => `0123456789${form.signs}`.includes(character))).toBe(true);
  });

  property.prop([fc.string({ unit: fc.constantFrom(..."0123+=") })])("writes what it reads", (text) => {
    const read = form.read(text);
    if (read !== undefined) expect(form.write(...read)).toBe(text);
  });

  test.each([
    "",
    "=",
    "+=",
    "1=",
    "1+=",
    "+1=",
    "1+2",
    "12+3=",
    "123=",
    "1+2=\n",
    " 1+2=",
    "1+2+3=",
    "١+٢=",
    "-1+2=",
  ])("does not read %j", (text) => {
    expect(form.read(text)).toBeUndefined();
  });
});
