import { describe, expect, test } from "vitest";
import type { Verifier } from "../../../foundation/contract/index.ts";
import { itemOf } from "../items.ts";
import { reverse } from "../reverse.ts";
import { type RegexOptions, regex } from "./regex.ts";

const base = itemOf(reverse(), { prompt: "1=", difficulty: 1 });
const verdictOf = async (verifier: Verifier, answer: string, text: string): Promise<unknown> => {
  const verdict = await verifier.verify({ ...base, answer }, { text, complete: true });
  return verdict.outcome === "scored" ? verdict.score : verdict.reason;
};

describe("regex", () => {
  test.each<[RegexOptions, string, string, number]>([
    [{ pattern: /#### (.+)/ }, "4", "2 + 2\n#### 4", 1],
    [{ pattern: /#### (.+)/ }, "4", "#### 5\n#### 4 ", 1],
    [{ pattern: /#### (.+)/ }, "4", "#### 4\n#### 5", 0],
    [{ pattern: /#### (.+)/ }, "4", "4", 0],
    [{ pattern: /#### (.+)/ }, "two and two\n#### 4", "#### 4", 1],
    [{ pattern: "\\d+" }, "12", "3 or 12", 1],
    [{ pattern: "\\d*" }, "12", "12", 1],
    [{ pattern: "(a)|(b)", group: 2 }, "b", "b", 1],
    [{ pattern: "(a)|(b)", group: 2 }, "b", "a", 0],
    [{ pattern: "<(?<it>\\w+)>", group: "it" }, "x", "<x>", 1],
    [{ pattern: "<(?<it>\\w+)>", group: 0 }, "<x>", "<x>", 1],
    [{ pattern: /answer: (\w+)/i }, "Rome", "ANSWER: ROME", 1],
    [{ pattern: "answer: (\\w+)" }, "Rome", "answer: ROME", 0],
    [{ pattern: /^(\w+)$/gm }, "b", "a\nb", 1],
    [{ pattern: /a(b)/y }, "b", "xxab", 1],
    [{ patternFrom: "answer" }, "colou?r", " color\n", 1],
    [{ patternFrom: "answer" }, "colou?r", "colors", 0],
    [{ patternFrom: "answer" }, "a|b", "xb", 0],
    [{ patternFrom: "answer", flags: "i" }, "a|b", "B", 1],
  ])("%o with the answer %j gives %j the score %d", async (options, answer, text, score) => {
    expect(await verdictOf(regex(options), answer, text)).toBe(score);
  });

  test("of a text that takes a second gives no verdict, and goes on", async () => {
    const verifier = regex({ patternFrom: "answer" });
    expect(await verdictOf(verifier, "(x+x+)+y", "x".repeat(40))).toMatch(
      /needs more than a second of this response/,
    );
    expect(await verdictOf(verifier, "(x+x+)+y", "xxy")).toBe(1);
  });

  test.each(["(a+)+$", "(\\d+)*:", "^(\\w|\\w\\w)+!$", "(?:Q+Q+)+R"])(
    "refuses %s, which does not end",
    (pattern) => {
      expect(() => regex({ pattern })).toThrow(expect.objectContaining({ code: "pattern-too-slow" }));
    },
  );

  test.each<[RegexOptions, RegExp]>([
    [{ pattern: "(" }, /option "pattern": Invalid regular expression/],
    [{ pattern: "" }, /option "pattern"/],
    [{ pattern: "(a)", group: 2 }, /has no group 2; it has 1 groups/],
    [{ pattern: "(?<a>a)", group: "b" }, /has no group b; it has 1 groups, named a/],
    [{ pattern: "a", flags: "g" }, /option "flags": expected flags among i, m, s, u/],
    [{ pattern: "a", example: "no answer" }, /option "example"/],
    [{ pattern: "a", grup: 1 } as never, /there is no option "grup"; did you mean "group"/],
    [{ patternFrom: "prompt" } as never, /option "patternFrom"/],
  ])("refuses %o", (options, message) => {
    expect(() => regex(options)).toThrow(message);
  });

  test("says which answers are no patterns", () => {
    expect(regex({ patternFrom: "answer" }).faultOf?.({ prompt: "", answer: "(" })).toMatch(
      /"\(" is not a pattern/,
    );
    expect(regex({ pattern: "a" }).faultOf?.({ prompt: "", answer: " " })).toBe("the answer is empty");
  });

  test("its canaries show a pattern that does not fit its example", async () => {
    const verifier = regex({ pattern: /#### (.+)/ });
    const canaries = verifier.canaries?.({ ...base, answer: "4" }, ["5"]) ?? [];
    const [first] = canaries.filter(({ right }) => right);
    expect(first?.response.text).toBe("4");
    expect(await verdictOf(verifier, "4", first?.response.text ?? "")).toBe(0);
  });

  test("of patterns in answers takes its user's canaries", () => {
    const canaries = [{ prompt: "?", answer: "a+", response: "aa", right: true }];
    const made = regex({ patternFrom: "answer", canaries }).canaries?.(base, []);
    expect(made).toMatchObject([
      { item: { prompt: "?", answer: "a+" }, response: { text: "aa", complete: true }, right: true },
    ]);
  });
});
