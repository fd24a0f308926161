import type { RandomStream } from "../../../foundation/base/index.ts";
import { runSandboxed } from "../../sandbox/index.ts";
import type { ProgramLanguage } from "./language.ts";

type Numbers = readonly number[];
interface Step {
  readonly text: string;
  readonly apply: (numbers: Numbers) => Numbers;
}

const stepMakers: readonly ((random: RandomStream) => Step)[] = [
  (random) => {
    const by = random.integer(1, 9);
    return { text: `.map((v) => v + ${by})`, apply: (numbers) => numbers.map((v) => v + by) };
  },
  (random) => {
    const by = random.integer(2, 5);
    return { text: `.map((v) => v * ${by})`, apply: (numbers) => numbers.map((v) => v * by) };
  },
  () => ({ text: ".filter((v) => v % 2 === 0)", apply: (numbers) => numbers.filter((v) => v % 2 === 0) }),
  (random) => {
    const least = random.integer(2, 9);
    return { text: `.filter((v) => v >= ${least})`, apply: (numbers) => numbers.filter((v) => v >= least) };
  },
  () => ({ text: ".reverse()", apply: (numbers) => numbers.toReversed() }),
  () => ({ text: ".sort((a, b) => a - b)", apply: (numbers) => numbers.toSorted((a, b) => a - b) }),
  (random) => {
    const count = random.integer(1, 3);
    return { text: `.slice(0, ${count})`, apply: (numbers) => numbers.slice(0, count) };
  },
  (random) => {
    const count = random.integer(1, 2);
    return { text: `.slice(${count})`, apply: (numbers) => numbers.slice(count) };
  },
];
const printable = `${String.fromCodePoint(...Array.from({ length: 95 }, (_, index) => 32 + index))}\n…`;
const steps = 3;
const trials = ["[]", "[7]", "[2,2,1]", "[9,4,6,3]", "[1,2,3,4,5,6]"];
const seconds = 5;
const megabytes = 256;

/** Reads a program and inputs from its input, and writes outputs as JSON: undefined becomes null. */
const driver = `
let text = "";
process.stdin.on("data", (part) => { text += part; }).on("end", () => {
  const { program, inputs } = JSON.parse(text);
  const write = process.stdout.write.bind(process.stdout);
  const f = new Function(program + "; return f;")();
  const outputs = inputs.map((input) => {
    try { return JSON.stringify(f(JSON.parse(input))) ?? null; } catch { return null; }
  });
  write("\\n" + JSON.stringify(outputs));
});`;

/**
 * JavaScript functions `f` of one value that JSON can say. What a model wrote is run in a sandbox, by the interpreter that runs this.
 * Functions that the task draws itself are steps on a list of numbers.
 */
export const javascriptPrograms: ProgramLanguage = {
  name: "javascript",
  version: 1,
  characters: printable,
  distinct: { deduction: 1e8, abduction: 1e8, induction: 1e8 },
  shown: 2,
  draw: (random, inputs) => {
    const chosen = Array.from({ length: steps }, () => random.pick(stepMakers)(random));
    const list = (): string =>
      JSON.stringify(Array.from({ length: random.integer(2, 5) }, () => random.integer(0, 9)));
    return {
      program: `function f(x) { return x${chosen.map(({ text }) => text).join("")}; }`,
      inputs: Array.from({ length: inputs }, list),
      outputOf: (input) =>
        JSON.stringify(
          chosen.reduce<Numbers>((numbers, { apply }) => apply(numbers), JSON.parse(input) as number[]),
        ),
    };
  },
  run: async (program, inputs) => {
    const nothing = inputs.map(() => undefined);
    const result = await runSandboxed({
      interpreter: process.execPath,
      arguments: ["-e", driver],
      input: JSON.stringify({ program, inputs }),
      seconds,
      megabytes,
    });
    if (result.outcome !== "ended" || result.code !== 0) return nothing;
    try {
      const outputs = JSON.parse(result.output.split("\n").at(-1) ?? "") as unknown;
      if (!Array.isArray(outputs) || outputs.length !== inputs.length) return nothing;
      return outputs.map((output) => (typeof output === "string" ? output : undefined));
    } catch {
      return nothing;
    }
  },
  trials,
  ask: ({ kind, program, inputs, outputs }) => {
    if (kind === "deduction")
      return `${program}\n\nWhat does f(${inputs[0]}) return? Answer with the value alone, as JSON.`;
    if (kind === "abduction")
      return `${program}\n\nGive a value x for which f(x) returns ${outputs[0]}. Answer with the value alone, as JSON.`;
    const shown = inputs.map((input, index) => `f(${input}) returns ${outputs[index]}`).join("\n");
    return `${shown}\n\nWrite this function: function f(x) { … }, in JavaScript. Answer with the function alone.`;
  },
  read: (prompt) => {
    const [first = "", last = ""] = prompt.split("\n\n");
    const [, input] = /^What does f\((.*)\) return\?/s.exec(last) ?? [];
    if (input !== undefined) return { kind: "deduction", program: first, inputs: [input], outputs: [] };
    const [, output] = /^Give a value x for which f\(x\) returns (.*)\. Answer/s.exec(last) ?? [];
    if (output !== undefined) return { kind: "abduction", program: first, inputs: [], outputs: [output] };
    const pairs = first.split("\n").map((line) => /^f\((.*)\) returns (.*)$/.exec(line));
    if (!last.startsWith("Write this function") || pairs.some((pair) => pair === null)) return undefined;
    return {
      kind: "induction",
      inputs: pairs.map((pair) => pair?.[1] ?? ""),
      outputs: pairs.map((pair) => pair?.[2] ?? ""),
    };
  },
  readProposal: (text) => {
    const program = withoutFence(text).trim();
    const at = program.lastIndexOf("\nf(");
    if (!/\bfunction f\(/.test(program) || at < 0) return undefined;
    const inputs = program
      .slice(at)
      .trim()
      .split("\n")
      .map((line) => /^f\((.*)\);?$/.exec(line)?.[1]);
    const known = inputs.filter((input) => input !== undefined && isJson(input)) as string[];
    return known.length === 0 || known.length < inputs.length
      ? undefined
      : { program: program.slice(0, at), inputs: known };
  },
  answerIn: (text) => withoutFence(text).trim(),
  normal: (output) => (isJson(output) ? JSON.stringify(JSON.parse(output)) : output),
  maxTokens: 128,
};

function isJson(text: string): boolean {
  try {
    JSON.parse(text);
    return true;
  } catch {
    return false;
  }
}

function withoutFence(text: string): string {
  return /```\w*\n(.*?)```/s.exec(text)?.[1] ?? text;
}
