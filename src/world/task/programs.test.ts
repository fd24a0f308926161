import { beforeAll, describe, expect, test } from "vitest";
import { randomStream } from "../../foundation/base/index.ts";
import { installSandbox } from "../sandbox/testing/install-sandbox.ts";
import { taskChecks } from "./conformance/task-checks.ts";
import { itemOf } from "./items.ts";
import { programs } from "./programs.ts";
import { verdictOf } from "./verdict.ts";

beforeAll(() => installSandbox(), 300_000);

describe.each(["digits", "javascript"] as const)("in %s", (language) => {
  // These ask for hundreds of verdicts, and each of JavaScript starts a process: it is asked for some below.
  const many =
    language === "digits" ? [] : ["demonstrations are right", "any text is scored, always the same way"];
  for (const { name, run } of taskChecks(programs({ language })))
    if (!many.includes(name)) test(name, { timeout: 120_000 }, run);
});

const scoreOf = async (language: "digits" | "javascript", prompt: string, text: string, answer?: string) => {
  const task = programs({ language });
  const difficulty =
    prompt.startsWith("d") || prompt.includes("What does")
      ? 1
      : prompt.startsWith("a") || prompt.includes("Give a")
        ? 2
        : 3;
  const item = itemOf(task, { prompt, difficulty, ...(answer === undefined ? {} : { answer }) });
  const verdict = await verdictOf(task, item, { text, complete: true });
  return verdict.outcome === "scored" ? verdict.score : verdict.reason;
};

test.each([
  ["d+3*2(4)=", "4", 1],
  ["d+3*2(4)=", "5", 0],
  ["d-5(2)=", "7", 1],
  ["a*2>4=", "2", 1],
  ["a*2>4=", "7", 1],
  ["a*2>4=", "3", 0],
  ["a*2>4=", "", 0],
  ["i4>4,1>8=", "+3*2", 1],
  ["i4>4,1>8=", "*2+6", 1],
  ["i4>4,1>8=", "*9+8", 0],
  ["i4>4,1>8=", "4", 0],
])("of %s the answer %j scores %d", async (prompt, text, score) => {
  expect(await scoreOf("digits", prompt, text, prompt.startsWith("i") ? "+3*2" : undefined)).toBe(score);
});

describe("functions of JavaScript", () => {
  const f = "function f(x) { return x.map((v) => v + 1); }";
  const ask = { deduction: `${f}\n\nWhat does f([1,2]) return? Answer with the value alone, as JSON.` };
  const induction =
    "f([1,2]) returns [2,3]\nf([5]) returns [6]\n\nWrite this function: function f(x) { … }, in JavaScript. Answer with the function alone.";

  test("are compared by what they give, however it is written", async () => {
    expect(await scoreOf("javascript", ask.deduction, "[2, 3]")).toBe(1);
    expect(await scoreOf("javascript", ask.deduction, "[2, 4]")).toBe(0);
    expect(
      await scoreOf(
        "javascript",
        induction,
        "```js\nfunction f(x) { return x.map((one) => 1 + one); }\n```",
        f,
      ),
    ).toBe(1);
    expect(
      await scoreOf("javascript", induction, "function f(x) { return x.length === 1 ? [6] : [2, 3]; }", f),
    ).toBe(0);
  });

  test("that never end, leave, or break score 0 and harm nothing", async () => {
    for (const text of [
      "function f(x) { for (;;); }",
      "function f(x) { process.exit(0); }",
      "function f(x) {",
      "function f(x) { return require('fs').readFileSync('/etc/passwd', 'utf8'); }",
    ])
      expect(await scoreOf("javascript", induction, text, f)).toBe(0);
  }, 60_000);
});

describe("what a proposer writes", () => {
  test.each([
    ["digits", 1, "+3*2(4)", { prompt: "d+3*2(4)=", answer: "4" }],
    ["digits", 2, "+3*2(4)", { prompt: "a+3*2>4=", answer: "4" }],
    ["digits", 3, "+3*2(4)(1)(0)", { prompt: "i4>4,1>8,0>6=", answer: "+3*2" }],
    ["digits", 3, "+3*2(4)", undefined],
    ["digits", 3, "+3*2(4)(1)(4)", undefined],
    ["digits", 1, "3+2(4)", undefined],
    ["javascript", 1, "function f(x) { return x * 2; }\nf(4)", { answer: "8" }],
    ["javascript", 1, "function f(x) { return Math.random(); }\nf(4)", undefined],
    ["javascript", 1, "function f(x) { throw 1; }\nf(4)", undefined],
    ["javascript", 1, "function f(x) { return x; }\nf(not json)", undefined],
  ] as const)("in %s, kind %d: %j", async (language, difficulty, text, problem) => {
    const read = await programs({ language }).readProblem?.(text, difficulty);
    if (problem === undefined) expect(read).toBeUndefined();
    else expect(read).toMatchObject({ ...problem, difficulty });
  });
});

test("drawn problems are solved by their own answers", async () => {
  for (const language of ["digits", "javascript"] as const) {
    const task = programs({ language });
    for (const difficulty of [1, 2, 3]) {
      const item = itemOf(task, task.generate(difficulty, randomStream(difficulty, language)));
      expect(await verdictOf(task, item, { text: item.answer ?? "", complete: true })).toMatchObject({
        score: 1,
      });
    }
  }
});
