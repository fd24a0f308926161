import type { RandomStream } from "../../../foundation/base/index.ts";

/** What is asked of a program, its input and its output: given two of them, the third. */
export const programKinds = ["deduction", "abduction", "induction"] as const;
export type ProgramKind = (typeof programKinds)[number];

/** What a prompt shows: of a program, inputs and outputs, whatever its kind does not ask for. */
export interface ProgramQuestion {
  readonly kind: ProgramKind;
  readonly program?: string;
  /** Of an induction several, else one; of an abduction none. */
  readonly inputs: readonly string[];
  readonly outputs: readonly string[];
}

/** A program that the task drew itself, with what it gives for any input. */
export interface DrawnProgram {
  readonly program: string;
  readonly inputs: readonly string[];
  readonly outputOf: (input: string) => string;
}

/** A language of programs of one input and one output, both written as text. */
export interface ProgramLanguage {
  readonly name: "digits" | "javascript";
  readonly version: number;
  /** Every character of its prompts and answers. */
  readonly characters: string;
  /** Different deductions, abductions and inductions that can be drawn. */
  readonly distinct: Readonly<Record<ProgramKind, number>>;
  /** Pairs of an induction that are shown. */
  readonly shown: number;
  /** A program with as many inputs as are asked for. */
  draw(random: RandomStream, inputs: number): DrawnProgram;
  /** Outputs in order, undefined where it fails, does not end, or is no program. Nothing that is run is trusted. */
  run(program: string, inputs: readonly string[]): Promise<readonly (string | undefined)[]>;
  /** Inputs that an induced program is tried on beside those that it was shown, so that a list of these is no program. */
  readonly trials: readonly string[];
  /** A right answer worked out from the question alone, where the language is small enough for that. */
  solve?(question: ProgramQuestion): string | undefined;
  ask(question: ProgramQuestion): string;
  /** Undefined for what is no question of this language. */
  read(prompt: string): ProgramQuestion | undefined;
  /** A proposer's program with its inputs; undefined where the text is none. */
  readProposal(text: string): { readonly program: string; readonly inputs: readonly string[] } | undefined;
  /** What a response says: without the words around it. */
  answerIn(text: string): string;
  /** One text for outputs that are equal. */
  normal(output: string): string;
  readonly maxTokens: number;
}
