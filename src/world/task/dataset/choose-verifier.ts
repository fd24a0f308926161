import type { Item, Verifier } from "../../../foundation/contract/index.ts";
import { plainChoice } from "../verifiers/choices.ts";
import { exact } from "../verifiers/exact.ts";
import { multipleChoice } from "../verifiers/multiple-choice.ts";
import { numeric } from "../verifiers/numeric.ts";

/** A verifier that a file's answers ask for, by the name of its factory. */
export interface VerifierChoice {
  readonly verifier: "numeric" | "multipleChoice" | "exact";
  /** Of multiple choice, where neither the prompts nor single letters say them. */
  readonly choices?: readonly string[];
  /** Why, for people. */
  readonly reason: string;
}

type Asked = Pick<Item, "prompt" | "answer">;

const mostChoices = 10;
const number = /^[+-]?(\d{1,3}(,\d{3})+|\d+)?(\.\d+)?([eE][+-]?\d+)?$/;

function isNumber(text: string): boolean {
  return /\d/.test(text) && number.test(text);
}

/** Which verifier suits the rows' reference answers: the first of numeric, multiple choice and exact that fits all of them. */
export function chooseVerifier(rows: readonly Asked[]): VerifierChoice {
  const answers = new Set(rows.map(({ answer = "" }) => answer.trim()));
  const reads = (verifier: Verifier): boolean => rows.every((row) => verifier.faultOf?.(row) === undefined);
  if ([...answers].every(isNumber) && reads(numeric()))
    return { verifier: "numeric", reason: "every answer is a number" };
  const odd = [...answers].filter((text) => !isNumber(text));
  const choices = [...new Map([...answers].map((answer) => [plainChoice(answer), answer])).values()].sort();
  if (answers.size > mostChoices || choices.length < 2)
    return {
      verifier: "exact",
      reason:
        choices.length < 2
          ? "there is only one answer"
          : `more than ${mostChoices} different answers, and ${oddWords(rows, odd)}`,
    };
  const reason = `only ${answers.size} different answers`;
  return reads(multipleChoice())
    ? { verifier: "multipleChoice", reason }
    : { verifier: "multipleChoice", choices, reason };
}

/** A few answers that are no numbers decide for all: then they are named, as they may be mistakes. */
function oddWords(rows: readonly Asked[], odd: readonly string[]): string {
  const strange = new Set(odd);
  const count = rows.filter(({ answer = "" }) => strange.has(answer.trim())).length;
  if (count === 0 || count > rows.length / 10) return "not all are numbers";
  const named = odd.slice(0, 3).map((text) => JSON.stringify(text));
  return `${count} of ${rows.length} ${count === 1 ? "is no number" : "are no numbers"}: ${named.join(", ")}`;
}

/** Makes it. */
export function verifierOf({ verifier, choices }: VerifierChoice): Verifier {
  if (verifier === "numeric") return numeric();
  if (verifier === "exact") return exact();
  return choices === undefined ? multipleChoice() : multipleChoice({ choices });
}
