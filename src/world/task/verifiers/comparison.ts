import type { Canary, Item, Response, Verdict, Verifier } from "../../../foundation/contract/index.ts";
import { right, wrong } from "./verdicts.ts";

/** What an item's reference answer says, or why it says nothing. */
export type Reading<R> = { readonly reference: R } | { readonly fault: string };

/** What a verifier that compares responses with `item.answer` needs to know of its kind of answer. */
export interface Comparison<R> {
  readonly name: string;
  readonly version: number;
  readonly description: Readonly<Record<string, string | number | boolean>>;
  read(answer: string, item: Pick<Item, "prompt">): Reading<R>;
  /** Whether a whole response says what the reference says. */
  judge(reference: R, text: string): boolean | Verdict;
  /** Whether two reference answers say the same, so that each is a right response to the other's item. */
  same(one: R, other: R): boolean;
  /** Responses that are right; the first is the plainest. */
  rightForms(reference: R, answer: string): readonly string[];
  /** Responses that are near and wrong. */
  wrongForms(reference: R, answer: string): readonly string[];
}

const othersShown = 8;

/**
 * A verifier of complete responses: one that the token limit ended scores 0, one to an item whose reference answer cannot be
 * read is void.
 */
export function comparing<R>(
  comparison: Comparison<R>,
): Required<Omit<Verifier, "atInference" | "close" | "open">> {
  const { name, version, description, judge } = comparison;
  return {
    name,
    version,
    description,
    verify: (item, response) => {
      const reading = readingOf(comparison, item);
      if ("fault" in reading) return { outcome: "void", reason: reading.fault };
      if (!response.complete) return wrong;
      const verdict = judge(reading.reference, response.text);
      return typeof verdict === "boolean" ? (verdict ? right : wrong) : verdict;
    },
    faultOf: (item) => {
      const reading = readingOf(comparison, item);
      return "fault" in reading ? reading.fault : undefined;
    },
    canaries: (item, others) => canariesOf(comparison, item, others),
  };
}

function readingOf<R>(comparison: Comparison<R>, item: Pick<Item, "prompt" | "answer">): Reading<R> {
  return item.answer === undefined
    ? { fault: "there is no answer to compare with" }
    : comparison.read(item.answer, item);
}

function canariesOf<R>(comparison: Comparison<R>, item: Item, others: readonly string[]): Canary[] {
  const reading = readingOf(comparison, item);
  if ("fault" in reading || item.answer === undefined) return [];
  const { reference } = reading;
  const rightForms = [...new Set(comparison.rightForms(reference, item.answer))];
  const elsewhere = others.flatMap((answer) => {
    const other = comparison.read(answer, item);
    if ("fault" in other || comparison.same(reference, other.reference)) return [];
    return comparison.rightForms(other.reference, answer).slice(0, 1);
  });
  const wrongForms = new Set(["", ...comparison.wrongForms(reference, item.answer)]);
  for (const form of elsewhere.slice(0, othersShown)) wrongForms.add(form);
  const canary = (response: Response, isRight: boolean): Canary => ({ item, response, right: isRight });
  return [
    ...rightForms.map((text) => canary({ text, complete: true }, true)),
    ...rightForms.slice(0, 1).map((text) => canary({ text, complete: false }, false)),
    ...[...wrongForms].map((text) => canary({ text, complete: true }, false)),
  ];
}
