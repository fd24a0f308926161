import {
  defineRun,
  demonstrations,
  diversityCollapse,
  drift,
  empo,
  type Guard,
  lmsi,
  type Method,
  preference,
  procedural,
  type RunDefinition,
  rent,
  sampledDecoding,
  selfRewarding,
  spin,
  supervised,
  tabular,
  ttrl,
} from "whetstone";
import { careless, expressions } from "../guards/expressions.ts";
import { guardFaults } from "../guards/guard-faults.ts";
import { misled } from "../guards/misled.ts";
import { evaluate, model, onDigits, unbaselined } from "../guards/on-digits.ts";
import type { FaultOptions, PlantedFault } from "../guards/planted-fault.ts";
import { onRoles, rolesShown } from "../guards/roles-on-digits.ts";
import { byLearnability, byValidity, selfProposing } from "../guards/self-proposing.ts";

/** A method that is known to fail in one way, and a run in which it does. */
export interface Failure {
  readonly method: string;
  /** What goes wrong, as it stands in the table. */
  readonly fails: string;
  /** What is seen to go wrong where no guard acts. */
  readonly harm: {
    readonly meter: string;
    readonly label: string;
    readonly change: "rises" | "falls" | "lags";
    /** By how much at least: from the base to the last round, or behind what is sound over all rounds. */
    readonly least: number;
  };
  /** The guards that are to find it: one of them must, within so many rounds. */
  readonly caughtBy: readonly string[];
  readonly within: number;
  /** The guard that it is about, to be watched by it alone: others would speak before it. All of a run's if left out. */
  readonly alone?: Guard;
  readonly define: (options: FaultOptions) => RunDefinition;
  /** The same with what is wrong set right, for what lags. */
  readonly sound?: (options: FaultOptions) => RunDefinition;
}

/** Most demonstrations of six of the ten digits say the digit above; of the others all are right. */
const mostlyMisled = supervised({ on: misled("456789", 0.65), steps: 60, learningRate: 0.1 });

/** Sums and differences that have a value: eleven ways to say it right. */
const onExpressions = {
  baselines: unbaselined,
  task: expressions(),
  model,
  engine: tabular({ horizon: 5, backOff: 5, deviation: 0 }),
  refine: sampledDecoding(),
  evaluate: { ...evaluate, perStratum: 1024, attemptItems: 192 },
};

/** What is lost by proposals that teach nothing adds up: eight rounds show it. */
const proposing = (knows: "trivial" | "unsolvable"): Pick<Failure, "define" | "sound"> => {
  const paid =
    (optimize: Method): PlantedFault["define"] =>
    (options) => ({
      ...selfProposing({ knows, optimize, malformed: 0.88 })(options),
      budget: { rounds: 8 },
    });
  return { define: paid(byValidity()), sound: paid(byLearnability()) };
};

const defineHacked = guardFaults.find(({ name }) => name === "hacked reward")
  ?.define as PlantedFault["define"];

const lockedWrong = { meter: "locked to a wrong answer", label: "locked to a wrong answer" } as const;
const passAtOne = { meter: "pass@1", label: "one attempt is right" } as const;

export const failures: readonly Failure[] = [
  {
    method: "TTRL",
    fails: "the majority is wrong on most items, and is locked in",
    harm: { ...lockedWrong, change: "rises", least: 0.2 },
    caughtBy: ["majority lock-in"],
    within: 2,
    define: ({ seed, guards }) =>
      defineRun({
        ...onDigits,
        name: "ttrl",
        prepare: mostlyMisled,
        optimize: ttrl({ items: 32, samples: 16, trained: 16, steps: 10, learningRate: 0.1 }),
        budget: { rounds: 4 },
        seed,
        ...guards,
      }),
  },
  {
    method: "LMSI",
    fails: "the same, by imitation",
    harm: { ...lockedWrong, change: "rises", least: 0.2 },
    caughtBy: ["majority lock-in", "verifier integrity"],
    within: 2,
    define: ({ seed, guards }) =>
      defineRun({
        ...onDigits,
        name: "lmsi",
        prepare: mostlyMisled,
        optimize: lmsi({
          samples: 8,
          update: supervised({ steps: 15, learningRate: 0.1, replay: { newest: 1 } }),
        }),
        budget: { rounds: 4 },
        seed,
        ...guards,
      }),
  },
  {
    method: "EMPO",
    fails: "of eleven ways to be right one is left, and where it is wrong none",
    harm: { meter: "pass@k", label: "any of 16 is right", change: "falls", least: 0.1 },
    caughtBy: ["diversity collapse"],
    alone: diversityCollapse(),
    within: 4,
    define: ({ seed, guards }) =>
      defineRun({
        ...onExpressions,
        name: "empo",
        prepare: supervised({
          on: careless({ misled: [6, 7, 8], share: 0.6, noise: 0.5 }),
          steps: 300,
          learningRate: 0.1,
        }),
        acquire: [procedural({ difficulty: 9, items: 256 })],
        optimize: empo({ samples: 16, steps: 10, learningRate: 0.1 }),
        budget: { rounds: 4 },
        seed,
        ...guards,
      }),
  },
  {
    method: "RENT",
    fails: "what is surest to end is rewarded, whatever was asked",
    harm: { ...passAtOne, change: "falls", least: 0.05 },
    caughtBy: ["majority lock-in", "verifier integrity", "diversity collapse"],
    within: 4,
    define: ({ seed, guards }) =>
      defineRun({
        ...onDigits,
        name: "rent",
        prepare: supervised({ on: misled("789", 0.6), steps: 60, learningRate: 0.1 }),
        optimize: rent({ steps: 10, learningRate: 0.1 }),
        budget: { rounds: 4 },
        seed,
        ...guards,
      }),
  },
  {
    method: "Absolute Zero, proposer paid for validity",
    fails: "it proposes what it solves anyway",
    harm: { ...passAtOne, change: "lags", least: 0.02 },
    caughtBy: ["learnable proposals"],
    within: 4,
    ...proposing("trivial"),
  },
  {
    method: "Absolute Zero, proposer paid for validity",
    fails: "it proposes what it never solves",
    harm: { ...passAtOne, change: "lags", least: 0.02 },
    caughtBy: ["learnable proposals"],
    within: 4,
    ...proposing("unsolvable"),
  },
  {
    method: "Self-Rewarding",
    fails: "its judge says yes to everything, and a little sooner to what is wrong",
    harm: { ...passAtOne, change: "falls", least: 0.05 },
    caughtBy: ["verifier integrity"],
    within: 2,
    define: ({ seed, guards }) =>
      defineRun({
        ...onRoles,
        name: "self-rewarding",
        prepare: supervised({
          on: rolesShown({ right: () => 0.6, judged: () => [0.93, 0.98] }),
          steps: 150,
          learningRate: 0.1,
        }),
        optimize: selfRewarding({ update: preference({ learningRate: 0.1, epochs: 3 }) }),
        budget: { rounds: 4 },
        seed,
        ...guards,
      }),
  },
  {
    method: "GRPO",
    fails: "the verifier takes any answer that holds the right digit",
    harm: { meter: "reward less held-out score", label: "reward above truth", change: "rises", least: 0.1 },
    caughtBy: ["reward hacking", "verifier integrity"],
    within: 4,
    define: defineHacked,
  },
  {
    method: "SPIN",
    fails: "what was demonstrated becomes less likely: of eleven ways three are left",
    harm: { meter: "coverage", label: "right ways in 16 answers", change: "falls", least: 2 },
    caughtBy: ["drift"],
    alone: drift({ budget: 0.2 }),
    within: 2,
    define: ({ seed, guards }) =>
      defineRun({
        ...onExpressions,
        name: "spin",
        prepare: supervised({
          on: careless({ misled: [], share: 0, noise: 0.2 }),
          steps: 300,
          learningRate: 0.1,
        }),
        acquire: [demonstrations({ items: 512 })],
        optimize: spin({ learningRate: 0.3, beta: 0.01, epochs: 4 }),
        budget: { rounds: 4 },
        seed,
        ...guards,
      }),
  },
];
