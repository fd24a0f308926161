import { z } from "zod";
import { readOptions } from "../../foundation/base/index.ts";
import type { Item, Problem, Response, Task, Verdict } from "../../foundation/contract/index.ts";
import { canariesOf } from "./programs/canaries.ts";
import { digitPrograms } from "./programs/digits.ts";
import { javascriptPrograms } from "./programs/javascript.ts";
import {
  type ProgramKind,
  type ProgramLanguage,
  type ProgramQuestion,
  programKinds,
} from "./programs/language.ts";
import { kindScale } from "./scale.ts";
import { unreadablePrompt } from "./unreadable.ts";
import { right, wrong } from "./verifiers/verdicts.ts";

const name = "programs";
const languages = { digits: digitPrograms, javascript: javascriptPrograms };

const optionsSchema = z.strictObject({
  /** `digits`: steps on one digit, for small transformers; `javascript`: functions, which are run in a sandbox. */
  language: z.enum(["digits", "javascript"]).default("digits"),
});
export type ProgramsOptions = Readonly<z.input<typeof optionsSchema>>;

/**
 * Reasoning about programs, verified by running them (Absolute Zero, arXiv 2505.03335, section 3.2): of a program, an input and its
 * output two are given.
 *
 * | kind | given | asked | right is |
 * |---|---|---|---|
 * | `deduction` | program, input | output | what the program gives |
 * | `abduction` | program, output | input | any input that the program gives that output for |
 * | `induction` | some inputs with their outputs | program | one that gives these, and in JavaScript what the reference gives for inputs that were not shown |
 *
 * A proposer writes a program with inputs, `+3*2(4)` in digits; it is run, twice, and becomes an item if both runs end alike.
 *
 * @example
 * defineRun({ model: "smollm2-135m", task: programs(), optimize: absoluteZero() });
 */
export function programs(options: ProgramsOptions = {}): Task {
  const { language: chosen } = readOptions("programs()", optionsSchema, options);
  const language = languages[chosen];
  const { scale, strata } = kindScale(
    programKinds.map((kind) => ({ name: kind, distinct: language.distinct[kind], weight: 1 })),
  );
  const read = (prompt: string): ProgramQuestion => {
    const question = language.read(prompt);
    if (question === undefined)
      throw unreadablePrompt(name, prompt, `a question about a program in ${language.name}`);
    return question;
  };
  const problemOf = (
    kind: ProgramKind,
    program: string,
    inputs: readonly string[],
    outputs: readonly string[],
  ): Problem => ({
    prompt: language.ask({ kind, program, inputs, outputs }),
    answer: { deduction: outputs[0], abduction: inputs[0], induction: program }[kind] ?? "",
    difficulty: programKinds.indexOf(kind) + 1,
  });
  const inputsOf = (kind: ProgramKind): number => (kind === "induction" ? language.shown : 1);
  const kindAt = (difficulty: number): ProgramKind => {
    const kind = programKinds[difficulty - 1];
    if (kind === undefined)
      throw new RangeError(`programs has kinds 1 to ${programKinds.length}, not ${difficulty}`);
    return kind;
  };
  const task: Task = {
    name,
    version: language.version,
    options: { language: chosen },
    difficulty: scale,
    strata,
    characters: language.characters,
    verifier: {
      name: "run the program",
      version: 1,
      verify: (item, response) => verdictOn(language, read(item.prompt), item, response),
    },
    generate: (difficulty, random) => {
      const kind = kindAt(difficulty);
      const { program, inputs, outputOf } = language.draw(random, inputsOf(kind));
      return problemOf(kind, program, inputs, inputs.map(outputOf));
    },
    *enumerate() {},
    canonical: ({ prompt }) => {
      read(prompt);
      return prompt;
    },
    demonstrate: ({ prompt, answer = "" }) => language.solve?.(read(prompt)) ?? answer,
    maxTokens: () => language.maxTokens,
    answerOf: (_, { text }) => language.normal(language.answerIn(text)),
    readProblem: async (text, difficulty) => {
      const kind = kindAt(difficulty);
      const proposal = language.readProposal(text);
      if (proposal === undefined || proposal.inputs.length < inputsOf(kind)) return undefined;
      const inputs = proposal.inputs.slice(0, inputsOf(kind));
      if (new Set(inputs).size < inputs.length) return undefined;
      const [first, second] = [
        await language.run(proposal.program, inputs),
        await language.run(proposal.program, inputs),
      ];
      const outputs = first.filter(
        (output, index) => output !== undefined && output === second[index],
      ) as string[];
      if (outputs.length < inputs.length) return undefined;
      return problemOf(kind, proposal.program, inputs, outputs);
    },
    canaries: () => canariesOf(task, language),
  };
  return task;
}

async function verdictOn(
  language: ProgramLanguage,
  question: ProgramQuestion,
  { answer }: Item,
  { text, complete }: Response,
): Promise<Verdict> {
  if (!complete) return wrong;
  const said = language.answerIn(text);
  const { kind, program = "", inputs, outputs } = question;
  const same = (one: string | undefined, other: string | undefined): boolean =>
    one !== undefined && other !== undefined && language.normal(one) === language.normal(other);
  if (kind === "deduction") {
    const [output] = await language.run(program, inputs);
    return same(said, output) ? right : wrong;
  }
  if (kind === "abduction") {
    const [output] = await language.run(program, [said]);
    return same(output, outputs[0]) ? right : wrong;
  }
  const [tried, wanted] = await Promise.all([
    language.run(said, [...inputs, ...language.trials]),
    answer === undefined ? [] : language.run(answer, language.trials),
  ]);
  const fits = inputs.every((_, index) => same(tried[index], outputs[index]));
  return fits && wanted.every((output, index) => same(tried[inputs.length + index], output)) ? right : wrong;
}
