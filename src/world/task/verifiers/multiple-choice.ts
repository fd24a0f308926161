import { z } from "zod";
import { readOptions, userError } from "../../../foundation/base/index.ts";
import type { Verifier } from "../../../foundation/contract/index.ts";
import { type Choice, choicesIn, letterOf, mentioned, plainChoice } from "./choices.ts";
import { comparing } from "./comparison.ts";

const options = z.strictObject({
  choices: z.array(z.string().trim().min(1)).min(2).max(100).readonly().optional(),
});

export interface MultipleChoiceOptions {
  /**
   * The texts to choose from, where they are the same for every item. If left out, the choices are those that a prompt lists
   * (`A) Paris`, a line each), else single letters.
   */
  readonly choices?: readonly string[];
}

interface Question {
  readonly choices: readonly Choice[];
  readonly right: number;
}

const letters = [..."ABCDEFGHIJKLMNOPQRSTUVWXYZ"];

/**
 * Score 1 where a complete response chooses what the item's reference answer is, a letter or a choice's text, else 0. What "the
 * answer is …" (`Answer: B`, `\boxed{B}`) says last counts; without such words the choice that is mentioned: `B`, `(B)`, `B.` or the
 * text. Two different ones are no choice. Throws `invalid-option`.
 *
 * @example
 * const verifier = multipleChoice({ choices: ["positive", "negative", "neutral"] }); // takes "I think it is Positive."
 */
export function multipleChoice(given: MultipleChoiceOptions = {}): Verifier {
  const { choices: fixed } = readOptions("multipleChoice()", options, given);
  const plain = fixed?.map(plainChoice);
  const twice = plain?.find((text, index) => plain.indexOf(text) !== index);
  if (twice !== undefined)
    throw userError(
      "invalid-option",
      `multipleChoice(): option "choices": ${JSON.stringify(twice)} is there twice.`,
    );
  return comparing<Question>({
    name: "multiple-choice",
    version: 1,
    description: fixed ? { choices: JSON.stringify(fixed) } : {},
    read: (answer, { prompt }) => {
      const choices = choicesOf(fixed, prompt, answer);
      const letter = letterOf(answer);
      const byText = choices.findIndex(
        ({ text }) => text !== undefined && plainChoice(text) === plainChoice(answer),
      );
      const right =
        byText >= 0
          ? byText
          : choices.findIndex((choice) => choice.letter !== undefined && choice.letter === letter);
      return right < 0 ? { fault: faultOf(answer, fixed) } : { reference: { choices, right } };
    },
    judge: ({ choices, right }, text) => chosen(text, choices) === right,
    same: (one, other) => one.right === other.right,
    rightForms: ({ choices, right }) => {
      const { letter, text } = choices[right] ?? {};
      const byText = text === undefined ? [] : [text, `The answer is ${text}.`, `Answer: ${text}`];
      const byLetter =
        letter === undefined ? [] : [letter, `(${letter})`, `${letter}.`, `The answer is ${letter}.`];
      return [...byLetter, ...byText];
    },
    wrongForms: ({ choices, right }) => {
      const name = (index: number): string => choices[index]?.letter ?? choices[index]?.text ?? "";
      const beside = (right + 1) % choices.length;
      return [
        "I do not know.",
        name(beside),
        `The answer is ${name(beside)}.`,
        `The answer is ${name(right)} or ${name(beside)}.`,
        choices.map((_, index) => name(index)).join(", "),
      ];
    },
  });
}

/** Letters count where the answer is one, or the prompt lists them. */
function choicesOf(fixed: readonly string[] | undefined, prompt: string, answer: string): readonly Choice[] {
  const listed = choicesIn(prompt);
  const letter = letterOf(answer);
  if (fixed === undefined) {
    if (listed.length > 0) return listed;
    return letter === undefined ? [] : letters.map((one) => ({ letter: one, text: undefined }));
  }
  const isLettered = letter !== undefined && !fixed.some((text) => plainChoice(text) === plainChoice(answer));
  return fixed.map((text, index) => ({
    letter: isLettered
      ? letters[index]
      : listed.find((one) => plainChoice(one.text ?? "") === plainChoice(text))?.letter,
    text,
  }));
}

const statements =
  /\b(?:answer|choice|option)\b(?:\s+(?:is|would be|should be|must be))?\s*(?::|=|\bis\b|(?<=\b(?:is|be)))[ \t]*(?:\n[ \t]*)?(?=\S)/gi;

function chosen(text: string, choices: readonly Choice[]): number | undefined {
  const plain = text.replace(/\\(?:text|mathrm|textbf)\{([^{}]*)\}/g, "$1");
  const boxed = [...plain.matchAll(/\\boxed\{([^{}]*)\}/g)].at(-1)?.[1];
  if (boxed !== undefined) return mentioned(boxed, choices);
  const statement = [...plain.matchAll(statements)].at(-1);
  if (statement === undefined) return mentioned(plain, choices);
  const [stated = ""] = plain.slice(statement.index + statement[0].length).split("\n", 1);
  const [sentence = ""] = stated.split(/(?<=[^A-Z\d\W_][.!?]|^\W{0,3}[A-Z][.])\s+(?=[A-Z])/u);
  return statedChoice(sentence, choices);
}

/** After "the answer is" a letter may stand in the sentence: `B because …`. */
function statedChoice(sentence: string, choices: readonly Choice[]): number | undefined {
  const opening = /^\W*(?:(?:option|choice|letter)\s+)?\W*([A-Z])(?![\p{L}\p{N}'’])(.*)$/su.exec(sentence);
  const first = opening === null ? -1 : choices.findIndex(({ letter }) => letter === opening[1]);
  if (opening === null || first < 0) {
    const small = /^\W*([a-z])\W*$/.exec(sentence)?.[1]?.toUpperCase();
    const index = small === undefined ? -1 : choices.findIndex(({ letter }) => letter === small);
    return index >= 0 ? index : mentioned(sentence, choices);
  }
  const also = /^\W*(?:or|and|\/|,)\W*(?:option\s+)?\(?([A-Z])(?![\p{L}\p{N}'’])/u.exec(
    opening[2] ?? "",
  )?.[1];
  if (also !== undefined && also !== opening[1]) return undefined;
  const rest = mentioned(opening[2] ?? "", choices);
  return rest === undefined || rest === first ? first : undefined;
}

function faultOf(answer: string, fixed: readonly string[] | undefined): string {
  const shown = JSON.stringify(answer.slice(0, 60));
  return fixed === undefined
    ? `${shown} is neither a letter nor a choice that the prompt lists ("A) …", a line each)`
    : `${shown} is none of the choices ${fixed.map((text) => JSON.stringify(text)).join(", ")}`;
}
