import { exactCanaries, type Item, type Response, reverse, type Task, type Verdict } from "whetstone";

const right: Verdict = { outcome: "scored", score: 1 };
const wrong: Verdict = { outcome: "scored", score: 0 };

export const lastDigitOf = (prompt: string): string => prompt.at(-2) ?? "";

export type Judge = (item: Item, response: Response) => boolean;

export interface LastDigitOptions {
  readonly name: string;
  /** Which answers the verifier takes; only the digit itself if left out. */
  readonly accepts?: Judge;
  /** Which are right, where that is not what the verifier takes. */
  readonly truth?: Judge;
  /** Most tokens of an answer; 4 if left out. */
  readonly maxTokens?: number;
  /** What demonstrations say of a digit; the digit if left out. */
  readonly demonstrate?: Task["demonstrate"];
}

const exactly: Judge = ({ prompt }, { text, complete }) => complete && text === lastDigitOf(prompt);

/**
 * Say the last digit of a string of digits: a table that looks at the last few tokens only can learn it and generalise, so that
 * whole runs, gate included, take seconds.
 */
export function lastDigit(options: LastDigitOptions): Task {
  const { name, accepts = exactly, truth, maxTokens = 4, demonstrate } = options;
  const strings = reverse({ lengths: [5, 5], growTo: 5, measureTo: 5 });
  const judgedBy = (judge: Judge, version: number): Task["verifier"] => ({
    name: "last digit",
    version,
    verify: (item, response) => (judge(item, response) ? right : wrong),
  });
  const known = [...new Map(strings.canaries().map(({ item }) => [item.prompt, item])).values()].filter(
    ({ difficulty }) => difficulty === 5,
  );
  return {
    ...strings,
    name,
    verifier: judgedBy(accepts, 1),
    ...(truth === undefined ? {} : { truth: judgedBy(truth, 2) }),
    generate: (length, random) => {
      const problem = strings.generate(length, random);
      return { ...problem, answer: lastDigitOf(problem.prompt) };
    },
    demonstrate: demonstrate ?? (({ prompt }) => lastDigitOf(prompt)),
    maxTokens: () => maxTokens,
    canaries: () =>
      exactCanaries(
        known.map((item) => ({ item, answer: lastDigitOf(item.prompt) })),
        [..."0123456789"],
      ).filter(({ item, response, right: isRight }) => accepts(item, response) === isRight),
  };
}
