import { reverse, type Task } from "whetstone";

const strings = reverse({ lengths: [5, 5], growTo: 5, measureTo: 5 });
const lastOf = (prompt: string): string => prompt.at(-2) ?? "";

/** Says the last digit of five: learnt in seconds by a table and by a tiny model, and too large to be listed. */
export const lastDigit: Task = {
  ...strings,
  name: "last digit",
  verifier: {
    name: "last digit",
    version: 1,
    verify: ({ prompt }, { text, complete }) => ({
      outcome: "scored",
      score: complete && text === lastOf(prompt) ? 1 : 0,
    }),
  },
  generate: (length, random) => {
    const problem = strings.generate(length, random);
    return { ...problem, answer: lastOf(problem.prompt) };
  },
  demonstrate: ({ prompt }) => lastOf(prompt),
  maxTokens: () => 3,
  canaries: () =>
    strings.canaries().map(({ item, response }) => {
      const text = response.text.slice(0, 1);
      return { item, response: { text, complete: true }, right: text === lastOf(item.prompt) };
    }),
};
