import type { ProgramKind, ProgramLanguage } from "./language.ts";

const tags = { deduction: "d", abduction: "a", induction: "i" } satisfies Record<ProgramKind, string>;
const kinds = Object.fromEntries(Object.entries(tags).map(([kind, tag]) => [tag, kind as ProgramKind]));
const operators = ["+", "-", "*"];
const step = /[-+*]\d/g;
const steps = 2;
const program = "(?:[-+*]\\d){1,4}";
const digits = [..."0123456789"];

const apply = (text: string, input: string): string =>
  String(
    (text.match(step) ?? []).reduce((value, [operator, digit]) => {
      const by = Number(digit);
      return (operator === "+" ? value + by : operator === "-" ? value - by + 10 : value * by) % 10;
    }, Number(input)),
  );
const isProgram = (text: string): boolean => new RegExp(`^${program}$`).test(text);

const everyStep = operators.flatMap((operator) => digits.map((digit) => operator + digit));
const everyProgram = everyStep.flatMap((first) => everyStep.map((second) => first + second));

/**
 * Programs of a small transformer: steps such as `+3`, `-1` and `*2` on one digit, one after the other, modulo 10. Run by us, step by
 * step: there is nothing in them that could do harm.
 */
export const digitPrograms: ProgramLanguage = {
  name: "digits",
  version: 1,
  characters: "0123456789+-*()=>,dai",
  distinct: { deduction: 30 ** steps * 10, abduction: 30 ** steps * 10, induction: 10_000 },
  shown: 3,
  draw: (random, inputs) => {
    const text = Array.from({ length: steps }, () => random.pick(operators) + random.integer(0, 9)).join("");
    return {
      program: text,
      inputs: random.shuffle(digits).slice(0, inputs),
      outputOf: (input) => apply(text, input),
    };
  },
  run: async (text, inputs) =>
    inputs.map((input) => (isProgram(text) && /^\d$/.test(input) ? apply(text, input) : undefined)),
  // With four steps at most there is no room for a list of what was shown.
  trials: [],
  solve: ({ kind, program: text = "", inputs, outputs }) => {
    if (kind === "deduction") return apply(text, inputs[0] ?? "");
    if (kind === "abduction") return digits.find((input) => apply(text, input) === outputs[0]);
    return everyProgram.find((one) => inputs.every((input, index) => apply(one, input) === outputs[index]));
  },
  ask: ({ kind, program: text = "", inputs, outputs }) => {
    if (kind === "deduction") return `${tags[kind]}${text}(${inputs[0]})=`;
    if (kind === "abduction") return `${tags[kind]}${text}>${outputs[0]}=`;
    return `${tags[kind]}${inputs.map((input, index) => `${input}>${outputs[index]}`).join(",")}=`;
  },
  read: (prompt) => {
    const kind = kinds[prompt.charAt(0)];
    const rest = prompt.slice(1);
    const [, text = "", at = ""] = new RegExp(`^(${program})(?:\\((\\d)\\)|>(\\d))=$`).exec(rest) ?? [];
    if (kind === "deduction" && rest.includes("(") && text !== "")
      return { kind, program: text, inputs: [at], outputs: [] };
    if (kind === "abduction" && rest.includes(">") && text !== "")
      return { kind, program: text, inputs: [], outputs: [rest.at(-2) ?? ""] };
    if (kind !== "induction" || !/^\d>\d(?:,\d>\d)*=$/.test(rest)) return undefined;
    const pairs = rest.slice(0, -1).split(",");
    return {
      kind,
      inputs: pairs.map((pair) => pair.charAt(0)),
      outputs: pairs.map((pair) => pair.charAt(2)),
    };
  },
  readProposal: (text) => {
    const [, written = "", inputs = ""] = new RegExp(`^(${program})((?:\\(\\d\\))+)$`).exec(text) ?? [];
    return written === "" ? undefined : { program: written, inputs: inputs.match(/\d/g) ?? [] };
  },
  answerIn: (text) => text,
  normal: (output) => output,
  maxTokens: 12,
};
