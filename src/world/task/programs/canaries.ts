import type { Canary, Task } from "../../../foundation/contract/index.ts";
import { itemOf } from "../items.ts";
import { type ProgramLanguage, programKinds } from "./language.ts";

interface KnownProgram {
  readonly program: string;
  /** Another that gives the same. */
  readonly same: string;
  readonly inputs: readonly string[];
  readonly outputs: readonly string[];
  /** What neither gives for the first input, nor gives the first output. */
  readonly others: readonly string[];
  readonly otherPrograms: readonly string[];
}

/** Worked out by hand. */
const known: Readonly<Record<ProgramLanguage["name"], readonly KnownProgram[]>> = {
  digits: [
    {
      program: "+3*2",
      same: "*2+6",
      inputs: ["4", "1", "0"],
      outputs: ["4", "8", "6"],
      others: ["5", "0", "44"],
      otherPrograms: ["+3*3", "*2", "4"],
    },
    {
      program: "*3+1",
      same: "-3*3",
      inputs: ["2", "4", "0"],
      outputs: ["7", "3", "1"],
      others: ["3", "9", "27"],
      otherPrograms: ["*3-1", "+1*3", "7"],
    },
    {
      program: "-1+0",
      same: "+9",
      inputs: ["5", "0", "1"],
      outputs: ["4", "9", "0"],
      others: ["6", "0", "-1"],
      otherPrograms: ["+1", "-1*2", "5"],
    },
  ],
  javascript: [
    {
      program: "function f(x) { return x.map((v) => v + 1); }",
      same: "function f(x) { const y = []; for (const v of x) y.push(1 + v); return y; }",
      inputs: ["[1,2]", "[5]"],
      outputs: ["[2,3]", "[6]"],
      others: ["[9]"],
      otherPrograms: ["function f(x) { return x; }"],
    },
  ],
};

/** Programs that are known, with answers that are right and others that are not. */
export function canariesOf(task: Task, language: ProgramLanguage): Canary[] {
  return known[language.name].flatMap(({ program, same, inputs, outputs, others, otherPrograms }) =>
    programKinds.flatMap((kind) => {
      const given = inputs.slice(0, kind === "induction" ? language.shown : 1);
      const right = { deduction: [outputs[0]], abduction: [inputs[0]], induction: [program, same] }[
        kind
      ] as string[];
      const item = itemOf(task, {
        prompt: language.ask({ kind, program, inputs: given, outputs: outputs.slice(0, given.length) }),
        answer: right[0] ?? "",
        difficulty: programKinds.indexOf(kind) + 1,
      });
      const canary = (text: string, complete: boolean, isRight: boolean): Canary => ({
        item,
        response: { text, complete },
        right: isRight,
      });
      const traps = ["", ...(kind === "induction" ? otherPrograms : others)];
      return [
        ...right.flatMap((text) => [canary(text, true, true), canary(text, false, false)]),
        ...traps.map((text) => canary(text, true, false)),
      ];
    }),
  );
}
