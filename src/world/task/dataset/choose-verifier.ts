/** Verifiers that a file's answers can ask for, by the names of their factories. */
export type ChosenVerifier = "numeric" | "multipleChoice" | "exact";

export interface VerifierChoice {
  readonly verifier: ChosenVerifier;
  /** Why, for people. */
  readonly reason: string;
}

const mostChoices = 10;
const number = /^[+-]?(\d{1,3}(,\d{3})+|\d+)?(\.\d+)?([eE][+-]?\d+)?$/;

/** Which verifier suits these reference answers: the first of numeric, multiple choice and exact that fits all of them. */
export function chooseVerifier(answers: Iterable<string>): VerifierChoice {
  const distinct = new Set<string>();
  let numbers = true;
  for (const answer of answers) {
    const text = answer.trim();
    numbers &&= /\d/.test(text) && number.test(text);
    if (distinct.size <= mostChoices) distinct.add(text);
    if (!numbers && distinct.size > mostChoices)
      return {
        verifier: "exact",
        reason: `more than ${mostChoices} different answers, and not all are numbers`,
      };
  }
  if (numbers) return { verifier: "numeric", reason: "every answer is a number" };
  return { verifier: "multipleChoice", reason: `only ${distinct.size} different answers` };
}
