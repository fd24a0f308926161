import { demonstrations, type Source, type Task, type TaskPrompts, tabular } from "whetstone";
import { lastDigit, lastDigitOf } from "../last-digit.ts";
import { onDigits } from "./on-digits.ts";

/** The last token of a prompt says who is asked, and the one or two before it all that a table of three tokens needs to know. */
const prompts = {
  judge: ({ prompt }, { text }) => ({ prompt: `${prompt.slice(0, -1)}${text}?` }),
  critique: ({ prompt }, { text }) => ({ prompt: `${prompt.slice(0, -1)}${text}!` }),
  propose: () => ({ prompt: "p" }),
  verdictWords: ["y", "n"],
} satisfies TaskPrompts;

const stringLength = 5;
/** So few that a table of three tokens learns which digit is the last. */
const proposedLength = 3;

/** Say the last digit of a string of digits, with words to judge an answer, to criticise it, and to propose a string. */
export function roledDigits(): Task {
  const digits = lastDigit({ name: "last-digit-of-roles" });
  return {
    ...digits,
    characters: `${digits.characters}?!:pyn`,
    // A table cannot count: what is too short is repeated to its left, so that its last digit stays the last.
    readProblem: (text, difficulty) => {
      if (!/^\d{2,}$/.test(text)) return undefined;
      const prompt = `${text.repeat(stringLength).slice(-stringLength)}=`;
      return { prompt, difficulty, answer: lastDigitOf(prompt) };
    },
    prompts,
  };
}

export interface RolesOptions {
  /** For each last digit, how often the solver is shown the right answer; the digit above is shown else. */
  readonly right: (digit: number) => number;
  /** Last digits of the strings that a proposer is shown, each as often as it stands here. */
  readonly proposed?: string;
  /** How often a string that ends so is shown to the proposer with a character too many: never if left out. */
  readonly malformed?: (digit: number) => number;
  /** By last digit: how often a right answer is judged right, and how often a wrong one is. */
  readonly judged?: (digit: number) => readonly [right: number, wrong: number];
  /** The same of a critic, who says 0 where there is no mistake and else 1. */
  readonly criticised?: (digit: number) => readonly [right: number, wrong: number];
}

/** Demonstrations of the four roles, half of them of the solver's: as good or as bad as a fault needs it. */
export function rolesShown({
  right,
  proposed = "0123456789",
  malformed = () => 0,
  judged = () => [0.9, 0.1],
  criticised = judged,
}: RolesOptions): Source {
  const honest = demonstrations();
  type Draw = NonNullable<Source["draw"]>;
  const draw: Draw = (task, count, random) =>
    (honest.draw?.(task, count, random) ?? []).map(({ item }) => {
      const digit = Number(lastDigitOf(item.prompt));
      const above = String((digit + 1) % 10);
      const as = (prompt: string, response: string) => ({
        item: { ...item, prompt, canonical: prompt, source: "generator:roles@1" },
        response,
        about: item,
      });
      const role = random.uniform();
      if (role < 0.5) return { item, response: random.uniform() < right(digit) ? String(digit) : above };
      if (role < 0.8) {
        const text = random.uniform() < 0.5 ? String(digit) : above;
        const place = text === above ? 1 : 0;
        const response = { text, complete: true };
        if (role < 0.65)
          return as(
            prompts.judge(item, response).prompt,
            random.uniform() < judged(digit)[place] ? "y" : "n",
          );
        return as(
          prompts.critique(item, response).prompt,
          random.uniform() < criticised(digit)[place] ? "0" : "1",
        );
      }
      const free = Array.from({ length: proposedLength - 1 }, () => random.integer(0, 9)).join("");
      const last = random.pick([...proposed]);
      const spoiled = random.uniform() < malformed(Number(last)) ? ":" : "";
      return as(prompts.propose().prompt, `${free}${last}${spoiled}`);
    });
  return {
    ...honest,
    name: "demonstrations of four roles",
    description: { right: Array.from({ length: 10 }, (_, digit) => right(digit)).join(" "), proposed },
    acquire: async ({ task, random }) => ({ items: [], demonstrations: [...draw(task, 256, random)] }),
    draw,
  };
}

/** A table that looks at three tokens. */
export const onRoles = {
  ...onDigits,
  task: roledDigits(),
  engine: tabular({ horizon: 3, backOff: 3, deviation: 0 }),
};
