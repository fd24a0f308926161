import { describe, expect, test } from "vitest";
import { z } from "zod";
import { readOptions } from "./options.ts";

const schema = z.strictObject({
  steps: z.number().int().min(1).default(100),
  mode: z.enum(["decide", "observe"]).default("decide"),
  replay: z.strictObject({ newest: z.number().max(1).default(0.5) }).prefault({}),
  maybe: z.strictObject({ deep: z.boolean().optional() }).optional(),
  either: z.union([z.literal("auto"), z.number().int().min(1)]).default("auto"),
  loss: z
    .discriminatedUnion("name", [
      z.strictObject({ name: z.literal("dpo"), beta: z.number().optional() }),
      z.strictObject({ name: z.literal("ipo") }),
    ])
    .optional(),
  list: z.array(z.strictObject({ one: z.number() })).default([]),
});

const refusal = (value: unknown): string => {
  try {
    readOptions("part()", schema, value);
  } catch (error) {
    expect(error).toMatchObject({ code: "invalid-option", category: "user", details: { where: "part()" } });
    return (error as Error).message;
  }
  return "nothing was refused";
};

describe("readOptions", () => {
  test("fills in what is left out", () => {
    const replay = { newest: 0.5 };
    expect(readOptions("part()", schema, {})).toEqual({
      steps: 100,
      mode: "decide",
      replay,
      either: "auto",
      list: [],
    });
  });

  test.each([
    ["unknown, near a right one", { step: 3 }, 'part(): there is no option "step"; did you mean "steps"?'],
    [
      "unknown, and called so by another trainer",
      { max_steps: 3 },
      'part(): there is no option "max_steps"; did you mean "steps"?',
    ],
    [
      "unknown, near none",
      { learningRate: 3 },
      'part(): there is no option "learningRate"; it takes "steps", "mode", "replay", "maybe", "either", "loss", "list".',
    ],
    [
      "unknown inside options that have defaults",
      { replay: { newst: 1 } },
      'part(): there is no option "replay.newst"; did you mean "newest"?',
    ],
    [
      "unknown inside options that may be left out",
      { maybe: { depe: true } },
      'part(): there is no option "maybe.depe"; did you mean "deep"?',
    ],
    [
      "unknown where no list of names is known",
      { list: [{ one: 1, two: 2 }] },
      'part(): there is no option "list.0.two".',
    ],
    ["wrong kind", { steps: "3" }, 'part(): option "steps": expected number, received string.'],
    ["too small", { steps: 0 }, 'part(): option "steps": Too small: expected number to be >=1.'],
    [
      "not a choice, near one",
      { mode: "observer" },
      'part(): option "mode": expected one of "decide"|"observe"; did you mean "observe"?',
    ],
    ["not a choice, near none", { mode: "x" }, 'part(): option "mode": expected one of "decide"|"observe".'],
    ["none of several kinds", { either: true }, 'part(): option "either": expected "auto" or number.'],
    [
      "no options at all",
      3,
      'part(): expected an object of "steps", "mode", "replay", "maybe", "either", "loss", "list", received number.',
    ],
    [
      "a value in the place of options",
      { maybe: 0.04 },
      'part(): option "maybe": expected an object of "deep", received number.',
    ],
    [
      "a name in the place of options of that kind",
      { loss: "ipo" },
      'part(): option "loss": expected an object such as { name: "ipo" }, received string.',
    ],
    [
      "of no kind, near one",
      { loss: { name: "dpoo" } },
      'part(): option "loss.name": expected one of "dpo"|"ipo"; did you mean "dpo"?',
    ],
    ["of no kind", { loss: {} }, 'part(): option "loss.name": expected one of "dpo"|"ipo".'],
    [
      "unknown, of this kind",
      { loss: { name: "dpo", bta: 1 } },
      'part(): there is no option "loss.bta"; did you mean "beta"?',
    ],
  ])("refuses what is %s", (_, value, message) => {
    expect(refusal(value)).toBe(message);
  });

  test("tells the first of half a million wrong elements, and lists none of the others", () => {
    const schema = z.strictObject({ lists: z.array(z.strictObject({ tokens: z.array(z.int32()) })) });
    const wrong = { lists: [{ tokens: new Array(500_000).fill(0.5) }] };
    expect(() => readOptions("part()", schema, wrong)).toThrow(
      'part(): option "lists.0.tokens.0": expected int, received number.',
    );
    const texts = { lists: new Array(500_000).fill("") };
    expect(() => readOptions("part()", schema, texts)).toThrow(/^part\(\): option "lists\.0": expected/);
  });

  test("says of a part without options that it takes none", () => {
    expect(() => readOptions("greedy()", z.strictObject({}), { topP: 1 })).toThrow(
      'greedy(): there is no option "topP"; it takes none.',
    );
  });
});
