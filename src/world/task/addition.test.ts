import { fc, test as property } from "@fast-check/vitest";
import { describe, expect, test } from "vitest";
import { randomStream } from "../../foundation/base/index.ts";
import type { Item, Task } from "../../foundation/contract/index.ts";
import { addition } from "./addition.ts";
import { additionForms } from "./addition-form.ts";
import { taskChecks } from "./conformance/task-checks.ts";
import { enumerateItems, itemOf } from "./items.ts";
import { verdictOf } from "./verdict.ts";

const formNames = ["interleaved", "plain", "reversed"] as const;
const variants: readonly (readonly [string, Task])[] = [
  ...formNames.map((form) => [form, addition({ form })] as const),
  ["plain, of one digit", addition({ form: "plain", digits: [1, 1], growTo: 1, measureTo: 1 })],
  ["reversed, from three digits on", addition({ form: "reversed", digits: [3, 4] })],
];

describe.each(variants)("%s", (_name, task) => {
  for (const { name, run } of taskChecks(task)) test(name, run);
});

function itemIn(form: (typeof formNames)[number], left: string, right: string): Item {
  return itemOf(addition({ form }), {
    prompt: additionForms[form].write(left, right),
    difficulty: left.length,
  });
}

test.each([
  ["interleaved", "392819=", "2111"],
  ["reversed", "321+989=", "2111"],
  ["plain", "123+989=", "1112"],
  ["interleaved", "1234=", "370"],
  ["plain", "13+24=", "37"],
] as const)("%s: %s is answered %s", async (form, prompt, answer) => {
  const task = addition({ form });
  const item = itemOf(task, { prompt, difficulty: answer === "2111" || answer === "1112" ? 3 : 2 });
  expect(task.demonstrate(item, randomStream(0, "demonstrate"))).toBe(answer);
  expect(await verdictOf(task, item, { text: answer, complete: true })).toEqual({
    outcome: "scored",
    score: 1,
  });
});

/** The sum as it is taught at school, least significant digit first, its last carry written. */
function bySchoolRule(left: string, right: string): string {
  let [carry, written] = [0, ""];
  for (let index = left.length - 1; index >= 0; index--) {
    const sum = Number(left.charAt(index)) + Number(right.charAt(index)) + carry;
    written += sum % 10;
    carry = sum >= 10 ? 1 : 0;
  }
  return written + carry;
}

property.prop([fc.constantFrom(...formNames), fc.integer({ min: 1, max: 60 }), fc.nat()])(
  "sums of any length are right, digit by digit",
  (form, digits, seed) => {
    const task = addition({ form, digits: [1, 60] });
    const problem = task.generate(digits, randomStream(seed, "sums"));
    const [left, right] = additionForms[form].read(problem.prompt) ?? ["", ""];
    const backwards = bySchoolRule(left, right);
    const forwards = [...backwards]
      .reverse()
      .join("")
      .replace(/^0(?=.)/, "");
    expect(left).toHaveLength(digits);
    expect(problem.answer).toBe(form === "plain" ? forwards : backwards);
  },
);

describe("a + b and b + a are one item, in one split, in every form", () => {
  test("of one digit, all of them", () => {
    for (const form of formNames) {
      const stream = randomStream(3, form);
      const task = addition({ form });
      const drawn = Array.from({ length: 4000 }, () => task.generate(1, stream));
      expect(new Set(drawn.map(({ prompt }) => prompt)).size).toBe(100);
      expect(new Set(drawn.map((problem) => task.canonical(problem))).size).toBe(55);
    }
  });

  const operand = fc.integer({ min: 1000, max: 9999 }).map(String);
  property.prop([operand, operand])("of four digits", (left, right) => {
    const items = formNames.flatMap((form) => [itemIn(form, left, right), itemIn(form, right, left)]);
    const [first] = items as [Item];
    expect(first.canonical).toBe([left, right].toSorted().join("+"));
    expect(first.split).not.toBe("none");
    for (const item of items) {
      expect(item.canonical).toBe(first.canonical);
      expect(item.split).toBe(first.split);
    }
  });

  test("and listed once", () => {
    const pairs = enumerateItems(addition(), 1).map(({ canonical }) => canonical.split("+").map(Number));
    expect(pairs.every(([left = 0, right = 0]) => left <= right)).toBe(true);
  });
});

test("strata count unordered pairs", () => {
  const distinct = (form: (typeof formNames)[number]): number[] =>
    addition({ form })
      .strata.slice(0, 3)
      .map((stratum) => stratum.distinct);
  expect(distinct("interleaved")).toEqual([55, 5050, 500_500]);
  expect(distinct("reversed")).toEqual([55, 5050, 500_500]);
  expect(distinct("plain")).toEqual([55, 4095, 405_450]);
});

test("as many digits as anyone asks for have a count, or infinity", () => {
  for (const form of formNames) {
    const { strata } = addition({ form, digits: [1, 1000], growTo: 1000, measureTo: 1000 });
    expect(strata.every(({ distinct }) => distinct > 0)).toBe(true);
    expect(strata.at(-1)?.distinct).toBe(Number.POSITIVE_INFINITY);
  }
});

test("plain operands have no zeros in front", () => {
  const random = randomStream(0, "plain");
  const task = addition({ form: "plain" });
  const prompts = Array.from({ length: 1000 }, () => task.generate(2, random).prompt);
  expect(prompts.filter((prompt) => /\b0/.test(prompt))).toEqual([]);
});

test("a prompt of another form is unreadable", () => {
  expect(() => addition({ form: "plain" }).canonical({ prompt: "1234=", difficulty: 2 })).toThrow(
    'addition cannot read the prompt "1234="; it reads 123+456= (operands of one length, without leading zeros).',
  );
});

test("options are refused with the nearest right one", () => {
  expect(() => addition({ from: "plain" } as never)).toThrow(
    /there is no option "from"; did you mean "form"/,
  );
  expect(() => addition({ form: "plane" } as never)).toThrow(/option "form": .*"plain"/);
  expect(() => addition({ digits: [6, 1] })).toThrow(/option "digits"/);
});
