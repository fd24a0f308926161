import type { Canary, Item, Verifier } from "../../foundation/contract/index.ts";

/** Scores 1 when a complete response is the reference answer, character by character, else 0. */
export function exactAnswer(name: string): Verifier {
  return {
    name,
    version: 1,
    verify: (item, response) => ({
      outcome: "scored",
      score: response.complete && response.text === item.answer ? 1 : 0,
    }),
  };
}

/** Right and wrong answers to items whose reference answer is the only right one. */
export function exactCanaries(items: readonly Item[]): Canary[] {
  return items.flatMap((item, index) => {
    const answer = item.answer ?? "";
    const other = items[(index + 1) % items.length]?.answer ?? "";
    const last = answer.slice(-1);
    const wrong = [
      "",
      answer.slice(0, -1),
      `${answer}${last}`,
      ` ${answer}`,
      `${answer.slice(0, -1)}${last === "0" ? "1" : "0"}`,
      ...(other === answer ? [] : [other]),
    ];
    return [
      { item, response: { text: answer, complete: true }, right: true },
      { item, response: { text: answer, complete: false }, right: false },
      ...wrong.map((text) => ({ item, response: { text, complete: true }, right: false })),
    ];
  });
}
