import { expect, test } from "vitest";
import { type GivenParameters, refuseAll, splitInputs, valuesFor } from "./given-parameters.ts";

/** [command line, what the command gets, the parameters] */
const splits: readonly (readonly [string, string, Record<string, string | undefined>])[] = [
  ["run", "run", {}],
  ["run here --filter none", "run here", { filter: "none" }],
  ["run --filter none here", "run here", { filter: "none" }],
  ["run --filter=none --json here", "run --json here", { filter: "none" }],
  ["run --seed -3 --shift -.5", "run", { seed: "-3", shift: "-.5" }],
  ["run --text=a=b", "run", { text: "a=b" }],
  ["run --text=", "run", { text: "" }],
  ["run --filter --json", "run --json", { filter: undefined }],
  ["run --filter -h", "run -h", { filter: undefined }],
  ["run --filter", "run", { filter: undefined }],
  ["run -- --filter none", "run -- --filter none", {}],
];

test.each(splits)("%s", (line, inputs, parameters) => {
  const split = splitInputs(line.split(" "));
  expect(split.inputs.join(" ")).toBe(inputs);
  expect(Object.fromEntries(split.parameters)).toEqual(parameters);
});

test("a parameter that is given twice is refused", () => {
  expect(() => splitInputs(["run", "--seed", "1", "--seed", "2"])).toThrow("--seed is given twice.");
});

const given = (entries: Record<string, string | undefined>): GivenParameters =>
  new Map(Object.entries(entries));

test("values go by the names that the run gave them, however they are spelt", () => {
  const known = ["learningRate", "seed"];
  expect(valuesFor(given({ "learning-rate": "1e-3" }), known)).toEqual({ learningRate: "1e-3" });
  expect(valuesFor(given({ learningRate: "1e-3", seed: "2" }), known)).toEqual({
    learningRate: "1e-3",
    seed: "2",
  });
});

/** [what is given, the sentence] */
const refused: readonly (readonly [Record<string, string | undefined>, string])[] = [
  [{ learningrate: "1" }, "There is no flag --learningrate; did you mean --learning-rate?"],
  [{ jsn: undefined }, "There is no flag --jsn; did you mean --json?"],
  [
    { temperature: "1" },
    "There is no flag --temperature; this run takes --learning-rate, --seed, --json, --budget, --help.",
  ],
  [{ seed: undefined }, "--seed needs a value: --seed VALUE."],
];

test.each(refused)("%j is refused", (entries, sentence) => {
  expect(() => valuesFor(given(entries), ["learningRate", "seed"])).toThrow(sentence);
});

test("a run without parameters takes none", () => {
  expect(() => refuseAll(given({}))).not.toThrow();
  expect(() => refuseAll(given({ jso: "1" }))).toThrow("There is no flag --jso; did you mean --json?");
});
