import { afterAll, describe, expect, test } from "vitest";
import type { Verifier } from "../../../foundation/contract/index.ts";
import { type VerifierSample, verifierChecks } from "../conformance/verifier-checks.ts";
import { command, exact, json, math, multipleChoice, numeric, regex, verifierFrom } from "./index.ts";

const asked = (answers: readonly string[], prompt = "What is it?"): VerifierSample[] =>
  answers.map((answer, index) => ({ prompt: `${index}: ${prompt}`, answer }));

const numbers = ["42", "-7", "1,234", "0", "3/4", "0.5", "50%", "$3.20", "1e6"];
const words = ["Rome", "new york", "straße", "é", "a", "yes", "YES", " spaced "];
const listed = "Which?\nA) Rome\nB) New York\nC) York";
const script = `require("node:readline").createInterface({ input: process.stdin }).on("line", (line) => {
  const { id, response, answer } = JSON.parse(line);
  console.log(JSON.stringify({ id, score: response === answer }));
});`;

const verifiers: readonly (readonly [string, Verifier, readonly VerifierSample[]])[] = [
  ["exact", exact(), asked(words)],
  ["exact, ignoring case", exact({ ignoreCase: true }), asked(words.slice(0, 6))],
  ["exact, not trimming", exact({ trim: false }), asked(words)],
  ["numeric", numeric(), asked(numbers)],
  ["numeric with a tolerance", numeric({ tolerance: 0.01 }), asked(numbers)],
  ["numeric with a relative tolerance", numeric({ relative: 0.05 }), asked(numbers)],
  ["numeric with a decimal comma", numeric({ decimal: "," }), asked(["1.234,5", "3,5", "42"])],
  ["numeric after ####", numeric(), asked(["2 + 2 = 4\n#### 4", "#### 1,000", "so #### -3"])],
  ["regex", regex({ pattern: /#### (.+)/, example: "Thus\n#### {answer}" }), asked(["4", "five", "$&"])],
  [
    "regex with a named group",
    regex({ pattern: "<(?<it>\\w+)>", group: "it", flags: "i", example: "<{answer}>" }),
    asked(["a", "b", "c"]),
  ],
  ["multipleChoice of letters", multipleChoice(), asked(["A", "B", "(C)"])],
  ["multipleChoice of listed choices", multipleChoice(), asked(["A", "New York", "York"], listed)],
  [
    "multipleChoice of texts",
    multipleChoice({ choices: ["yes", "no", "not sure"] }),
    asked(["yes", "no", "not sure"]),
  ],
  [
    "json",
    json(),
    asked([`{"a": 1, "b": [1, 2.50]}`, "[]", `"text"`, "null", "12345678901234567890", `{"__proto__": {}}`]),
  ],
  ["json, order aside", json({ ignoreOrder: true }), asked(["[1, 2]", "[[2], [1]]", "{}"])],
  [
    "json with a schema",
    json({ schema: { type: "object", properties: { a: { type: "integer" } }, required: ["a"] } }),
    asked([`{"a":1}`, `{"a":2}`, `{"a":3,"b":null}`]),
  ],
  ["math", math(), asked(["3/4", "x^2 + 1", "\\frac{\\sqrt{3}}{2}", "x = 5", "12\\pi", "\\boxed{7}", "-1"])],
  [
    "verifierFrom",
    verifierFrom({ name: "same", verify: ({ answer }, { text }) => text === answer }),
    asked(words),
  ],
  ["command", command({ command: [process.execPath, "-e", script] }), asked(words)],
];

afterAll(async () => {
  for (const [, verifier] of verifiers) await verifier.close?.();
});

describe.each(verifiers)("%s", (_name, verifier, samples) => {
  test.each(verifierChecks(verifier, samples).map(({ name, run }) => [name, run] as const))(
    "%s",
    async (_check, run) => {
      await run();
    },
  );

  test("gives canaries of both kinds for every sample, among them other answers", () => {
    for (const { prompt, answer } of samples) {
      const item = {
        canonical: prompt,
        prompt,
        answer,
        difficulty: 1,
        stratum: "",
        split: "train",
        source: "",
      } as const;
      const canaries =
        verifier.canaries?.(
          item,
          samples.map((other) => other.answer),
        ) ?? [];
      expect(canaries.filter(({ right }) => right).length).toBeGreaterThan(0);
      expect(canaries.filter(({ right }) => !right).length).toBeGreaterThan(2);
    }
  });
});
