import {
  agreement,
  defineRun,
  demonstrations,
  grpo,
  majority,
  procedural,
  type RunConfig,
  type RunDefinition,
  refusalProbes,
  rejectionSampling,
  reverse,
  sampledDecoding,
  samples,
  supervised,
  tabular,
  tiny,
  verifier,
} from "whetstone";
import { careless, expressions } from "./expressions.ts";
import { endingIn0, evaluate, model, onDigits, unbaselined, verifiedFor } from "./on-digits.ts";
import { byDefaults } from "./planted-fault.ts";
import { byLearnability, selfProposing } from "./self-proposing.ts";

/** A run in which nothing is wrong, with all guards that a run has by default. */
export interface HealthyRun {
  readonly name: string;
  readonly define: (seed: number) => RunDefinition;
}

/** On a table of logits: a second or two each. */
export const healthyTables: readonly HealthyRun[] = [
  {
    name: "keeps what the verifier finds right",
    define: (seed) =>
      defineRun({
        ...onDigits,
        name: "verified",
        prepare: supervised({ on: demonstrations(), steps: 4, batch: 32, learningRate: 0.1 }),
        optimize: verifiedFor(10),
        budget: { rounds: 5 },
        seed,
      }),
  },
  {
    name: "follows the verifier by GRPO",
    define: (seed) =>
      defineRun({
        ...onDigits,
        name: "grpo",
        prepare: supervised({ on: demonstrations(), steps: 12, batch: 32, learningRate: 0.1 }),
        optimize: grpo({
          items: 32,
          steps: 10,
          learningRate: 0.05,
        }),
        budget: { rounds: 5 },
        seed,
      }),
  },
  {
    name: "votes, on a base that is mostly right, beside real data",
    define: (seed) =>
      defineRun({
        ...onDigits,
        name: "votes",
        prepare: supervised({ on: demonstrations(), steps: 30, learningRate: 0.1 }),
        acquire: [demonstrations({ items: 256 }), procedural({ difficulty: 5, items: 256 })],
        optimize: rejectionSampling({
          generate: samples({ samples: 8 }),
          reward: majority({ share: 0.5 }),
          update: supervised({ steps: 10, learningRate: 0.05, replay: { newest: 0.5 } }),
        }),
        budget: { rounds: 4 },
        seed,
      }),
  },
  {
    name: "keeps right expressions, beside real data",
    define: (seed) =>
      defineRun({
        name: "expressed",
        baselines: unbaselined,
        task: expressions(),
        model,
        engine: tabular({ horizon: 5, backOff: 5, deviation: 0 }),
        prepare: supervised({
          on: careless({ misled: [6, 7, 8], share: 0.3, noise: 0.5 }),
          steps: 300,
          learningRate: 0.1,
        }),
        acquire: [demonstrations({ items: 256 }), procedural({ difficulty: 9, items: 256 })],
        optimize: rejectionSampling({
          generate: samples({ samples: 4 }),
          reward: verifier(),
          update: supervised({ steps: 30, batch: 128, learningRate: 0.1 }),
        }),
        refine: sampledDecoding(),
        evaluate: { ...evaluate, perStratum: 256 },
        budget: { rounds: 5 },
        seed,
      }),
  },
  {
    name: "goes on refusing what the base refused",
    define: (seed) =>
      defineRun({
        ...onDigits,
        name: "refusing",
        // What is to be said of these strings is a refusal, and right: nothing teaches the model otherwise.
        refusals: refusalProbes({ prompts: endingIn0, refused: /^0$/, maxTokens: 4 }),
        prepare: supervised({ on: demonstrations(), steps: 30, batch: 32, learningRate: 0.1 }),
        optimize: verifiedFor(10),
        budget: { rounds: 3 },
        seed,
      }),
  },
  {
    name: "proposes what can be learnt from, and learns it",
    // In the fourth round all that it proposes is learnt, and there the guard is right to speak.
    define: (seed) => ({
      ...selfProposing({ knows: "learnable", optimize: byLearnability(), malformed: 0.1 })({
        seed,
        guards: byDefaults,
      }),
      budget: { rounds: 3 },
    }),
  },
];

const onStrings = {
  model: tiny({ layers: 3, width: 64, heads: 2, positions: "none" }),
  task: reverse({ lengths: [1, 5], growTo: 9, measureTo: 10 }),
  prepare: supervised({ on: demonstrations(), steps: 600, learningRate: 3e-3 }),
  acquire: [demonstrations(), procedural({ difficulty: "next", items: 768 })],
  evaluate: { perStratum: 64, finalAuditPerStratum: 64 },
  budget: { rounds: 4 },
} satisfies Omit<RunConfig, "optimize">;

/** Small decoders on the local engine: a minute or so each. */
export const healthyDecoders: readonly HealthyRun[] = [
  {
    name: "two peers teach themselves longer strings",
    define: (seed) =>
      defineRun({
        ...onStrings,
        name: "peers",
        optimize: rejectionSampling({
          reward: agreement({ peers: 2 }),
          update: supervised({ steps: 60 }),
        }),
        seed,
      }),
  },
  {
    name: "one learns from what the verifier keeps",
    define: (seed) =>
      defineRun({
        ...onStrings,
        name: "kept",
        optimize: rejectionSampling({
          generate: samples({ samples: 2 }),
          reward: verifier(),
          update: supervised({ steps: 60 }),
        }),
        seed,
      }),
  },
];
