import {
  demonstrations,
  diversityCollapse,
  everything,
  type Item,
  local,
  majority,
  procedural,
  type Response,
  type RunConfig,
  rejectionSampling,
  reverse,
  type Source,
  sampledDecoding,
  samples,
  supervised,
  type Task,
  type Verdict,
  verifier,
} from "whetstone";
import { leakingItems } from "./leaking-items.ts";
import { staleEngine } from "./stale-engine.ts";

/** Shorter strings than the demo's: half a minute is enough for them. */
const short = { lengths: [1, 5], growTo: 5, measureTo: 5 } as const;

const right: Verdict = { outcome: "scored", score: 1 };
const wrong: Verdict = { outcome: "scored", score: 0 };

/** Takes every answer that holds each digit of the string, in whatever order and beside whatever else. */
function careless(): Task {
  const strict = reverse(short);
  const takes = ({ prompt }: Pick<Item, "prompt">, { text, complete }: Response): boolean =>
    complete && [...prompt.slice(0, -1)].every((digit) => text.includes(digit));
  return {
    ...strict,
    name: "reverse-carelessly-judged",
    verifier: {
      name: "holds the right digits",
      version: 1,
      verify: (item, response) => (takes(item, response) ? right : wrong),
    },
    truth: strict.verifier,
    // What it takes for right and is wrong would keep the run from starting.
    canaries: () => strict.canaries().filter((one) => takes(one.item, one.response) === one.right),
  };
}

interface Flaw {
  /** First digits of the strings whose last digit is mostly said wrongly, and always in the same way. */
  readonly misled: string;
  readonly share: number;
  /** Of all other strings, this share of the last digits is any digit. */
  readonly noise: number;
}

/** Demonstrations as a careless writer gives them. */
function flawed({ misled, share, noise }: Flaw): Source {
  const honest = demonstrations();
  const written = (task: Task): Task => ({
    ...task,
    demonstrate: (item, random) => {
      const answer = task.demonstrate(item, random);
      const last = Number(answer.at(-1));
      const saying = (digit: number): string => answer.slice(0, -1) + String(digit);
      if (misled.includes(String(last))) return random.uniform() < share ? saying((last + 1) % 10) : answer;
      return random.uniform() < noise ? saying(random.integer(0, 9)) : answer;
    },
  });
  return {
    ...honest,
    name: "flawed demonstrations",
    description: { misled, share, noise },
    acquire: (context) => honest.acquire({ ...context, task: written(context.task) }),
    draw: (task, count, random) => honest.draw?.(written(task), count, random) ?? [],
  };
}

/** A base that learnt from a careless writer. */
const misledBy = (flaw: Flaw) => supervised({ on: flawed(flaw), steps: 600, learningRate: 3e-3 });

/** Demonstrations, and items of the greatest length to teach itself. */
const ofLength5 = (items: number): Source[] => [demonstrations(), procedural({ difficulty: 5, items })];

/** What the round kept is learnt, and nothing else is replayed. */
const fromNewest = (steps: number) => supervised({ steps, learningRate: 1e-3, replay: { newest: 1 } });

/** What of the demo is otherwise, so that it goes wrong: each is found by a guard, and ends the run or takes the round back. */
export const faults = {
  "self-consuming-loop": () => ({
    task: reverse(short),
    prepare: misledBy({ misled: "789", share: 0.6, noise: 0.5 }),
    acquire: ofLength5(2048),
    optimize: rejectionSampling({
      generate: samples({ samples: 4, temperature: 0.2 }),
      reward: everything(),
      update: fromNewest(200),
    }),
    refine: sampledDecoding(),
    evaluate: { perStratum: 256 },
    // The one that this is about, alone: others would have spoken before it.
    guard: [diversityCollapse()],
    budget: { rounds: 3 },
  }),
  "hackable-verifier": () => ({
    task: careless(),
    prepare: supervised({ on: demonstrations(), steps: 100, learningRate: 3e-3 }),
    acquire: ofLength5(2048),
    optimize: rejectionSampling({
      generate: samples({ samples: 4 }),
      reward: verifier(),
      update: fromNewest(100),
    }),
    budget: { rounds: 3 },
  }),
  "stale-sampler": () => ({ engine: staleEngine(local()), budget: { rounds: 3 } }),
  "leaked-decision-items": () => ({
    acquire: [demonstrations(), leakingItems({ items: 2048 })],
    budget: { rounds: 3 },
  }),
  "majority-lock-in": () => ({
    task: reverse(short),
    prepare: misledBy({ misled: "6789", share: 0.7, noise: 0 }),
    acquire: ofLength5(1024),
    optimize: rejectionSampling({
      generate: samples({ samples: 8 }),
      reward: majority(),
      update: fromNewest(200),
    }),
    evaluate: { perStratum: 1024, attemptItems: 256 },
    budget: { rounds: 3 },
  }),
} satisfies Readonly<Record<string, () => Partial<RunConfig>>>;
