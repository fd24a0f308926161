import { describe, expect, test } from "vitest";
import { copy } from "./copy.ts";
import { enumerateItems, itemOf } from "./items.ts";
import { reverse } from "./reverse.ts";
import type { StringTaskOptions } from "./string-task.ts";

describe("string tasks", () => {
  test("go to twice the base's length and are measured two further, if nothing else is said", () => {
    const { difficulty, strata, options } = reverse();
    expect(difficulty).toEqual({ unit: "length", base: [1, 8], growTo: 16, measureTo: 18 });
    expect(options).toEqual({ lengths: "1-8", growTo: 16, measureTo: 18, alphabet: "0123456789" });
    expect(strata.filter(({ weight }) => weight > 0)).toHaveLength(16);
  });

  test("count characters, not bytes", () => {
    const task = copy({ lengths: [1, 2], alphabet: "é𝄞" });
    expect(enumerateItems(task, 2).map(({ canonical }) => canonical)).toEqual(["éé", "é𝄞", "𝄞é", "𝄞𝄞"]);
    expect(task.maxTokens(itemOf(task, { prompt: "é𝄞=", difficulty: 2 }))).toBe(2 + 4 + 4);
  });

  test.each<[string, StringTaskOptions, string]>([
    ["no choice", { alphabet: "a" }, "it needs at least two different characters."],
    ["nothing", { alphabet: "" }, "it needs at least two different characters."],
    ["a repetition", { alphabet: "aba" }, "a character stands in it twice."],
    ["the prompt's own sign", { alphabet: "ab=" }, '"=" ends every prompt and cannot be a character of it.'],
    ["half a character", { alphabet: "a\ud834" }, "it holds half a character."],
  ])("refuse an alphabet with %s", (_what, options, message) => {
    expect(() => copy(options)).toThrow(`copy(): option "alphabet": ${message}`);
  });

  test("refuse other options, with the nearest right one", () => {
    expect(() => reverse({ length: [1, 2] } as never)).toThrow(
      'reverse(): there is no option "length"; did you mean "lengths"?',
    );
    expect(() => reverse({ lengths: [1, 8], growTo: 4 })).toThrow(
      'reverse(): option "growTo": 4 is less than 8, where "lengths" ends.',
    );
  });

  test.each(["", "=", "12", "12==", "12=3=", "1a=", "1 2=", "12=\n"])("do not read %j", (prompt) => {
    const task = reverse();
    expect(() => task.canonical({ prompt, difficulty: 2 })).toThrow(
      `reverse cannot read the prompt ${JSON.stringify(prompt)}; it reads characters of "0123456789" and then "=".`,
    );
  });
});
