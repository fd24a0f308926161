import { demonstrations, type Item, reverse, type Source, type Task, type Verdict } from "whetstone";

const right: Verdict = { outcome: "scored", score: 1 };
const wrong: Verdict = { outcome: "scored", score: 0 };
/** Digits in front of the target's, which tell items apart and mean nothing. */
const idle = [5, 6] as const;
/** Times that the target stands at the end, so that a table of the last five tokens sees it while it writes. */
const repeated = 4;

const targetOf = ({ prompt }: Pick<Item, "prompt">): number => Number(prompt.at(-2));

/** Every sum and difference of two digits that has the value: eleven of each digit. */
function expressionsOf(value: number): string[] {
  const digits = Array.from({ length: 10 }, (_, digit) => digit);
  return digits.flatMap((first) => [
    ...(value >= first && value - first <= 9 ? [`${first}+${value - first}`] : []),
    ...(first >= value && first - value <= 9 ? [`${first}-${first - value}`] : []),
  ]);
}

/**
 * A small language of expressions: `…7777=` asks for a sum or a difference of two digits that is 7, and there are eleven right
 * answers to every item.
 */
export function expressions(): Task {
  const [low, high] = [idle[0] + repeated, idle[1] + repeated];
  const strings = reverse({ lengths: [low, high], growTo: high, measureTo: high });
  const solves = (item: Pick<Item, "prompt">, text: string): boolean =>
    expressionsOf(targetOf(item)).includes(text);
  const known = [...new Map(strings.canaries().map(({ item }) => [item.prompt, item])).values()];
  return {
    ...strings,
    name: "expressions",
    characters: `${strings.characters}+-`,
    strata: strings.strata.map((stratum) => ({
      ...stratum,
      distinct: 10 ** (stratum.difficulty - repeated + 1),
    })),
    verifier: {
      name: "value of an expression",
      version: 1,
      verify: (item, { text, complete }) => (complete && solves(item, text) ? right : wrong),
    },
    generate: (length, random) => {
      const free = Array.from({ length: length - repeated }, () => random.integer(0, 9)).join("");
      const prompt = `${free}${String(random.integer(0, 9)).repeat(repeated)}=`;
      return { prompt, difficulty: length };
    },
    demonstrate: (item, random) => random.pick(expressionsOf(targetOf(item))),
    maxTokens: () => 6,
    canaries: () =>
      known.flatMap((item) => {
        const value = targetOf(item);
        const canary = (text: string, isRight: boolean) => ({
          item,
          response: { text, complete: true },
          right: isRight,
        });
        return [
          ...expressionsOf(value).map((text) => canary(text, true)),
          ...["", String(value), `${value}+0+0`, ...expressionsOf((value + 1) % 10)].map((text) =>
            canary(text, false),
          ),
        ];
      }),
  };
}

export interface FlawOptions {
  /** Targets of which most demonstrations say one and the same wrong thing, and how many do. */
  readonly misled: readonly number[];
  readonly share: number;
  /** Share of wrong demonstrations, each another, of all other targets. */
  readonly noise: number;
}

/** Demonstrations as a careless writer gives them: what the base learns from. */
export function careless({ misled, share, noise }: FlawOptions): Source {
  const honest = demonstrations();
  const flawed = (task: Task): Task => ({
    ...task,
    demonstrate: (item, random) => {
      const value = targetOf(item);
      if (misled.includes(value)) {
        if (random.uniform() < share) return "0+0";
      } else if (random.uniform() < noise) return random.pick(expressionsOf(random.integer(0, 9)));
      return task.demonstrate(item, random);
    },
  });
  return {
    ...honest,
    name: "careless demonstrations",
    description: { misled: misled.join(" "), share, noise },
    acquire: (context) => honest.acquire({ ...context, task: flawed(context.task) }),
    draw: (task, count, random) => honest.draw?.(flawed(task), count, random) ?? [],
  };
}
