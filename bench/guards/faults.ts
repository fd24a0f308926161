import {
  defineRun,
  demonstrations,
  diversityCollapse,
  everything,
  majority,
  procedural,
  rejectionSampling,
  sampledDecoding,
  samples,
  supervised,
  tabular,
} from "whetstone";
import { leakingItems } from "../../examples/reverse/leaking-items.ts";
import { staleEngine } from "../../examples/reverse/stale-engine.ts";
import { lastDigit, lastDigitOf } from "../last-digit.ts";
import { careless, expressions } from "./expressions.ts";
import { guardFaults } from "./guard-faults.ts";
import { misled } from "./misled.ts";
import { evaluate, model, onDigits, unbaselined, verifiedFor } from "./on-digits.ts";
import type { PlantedFault } from "./planted-fault.ts";

/** Five that the docs draw, and a small one for each guard that these leave out. */
export const plantedFaults: readonly PlantedFault[] = [
  {
    name: "self-consuming loop",
    story:
      "A model writes sums and differences of a given value, and learns from all that it wrote, sampled at temperature .4: right or wrong. More of its answers are right each round, and the gate promotes it; but it forgets all but one way to say a thing, and where its favourite was wrong there is no right answer left.",
    caughtBy: ["diversity collapse"],
    alone: diversityCollapse(),
    within: 5,
    lines: [
      { meter: "pass@1", label: "one attempt is right" },
      { meter: "pass@k", label: "any of 16 is right" },
      { meter: "coverage", label: "of 11 answers, given in 16", whole: 11 },
    ],
    define: ({ seed, guards }) =>
      defineRun({
        name: "self-consuming",
        baselines: unbaselined,
        task: expressions(),
        model,
        engine: tabular({ horizon: 5, backOff: 5, deviation: 0 }),
        prepare: supervised({
          on: careless({ misled: [6, 7, 8], share: 0.6, noise: 0.5 }),
          steps: 300,
          learningRate: 0.1,
        }),
        acquire: [demonstrations({ items: 256 }), procedural({ difficulty: 9, items: 256 })],
        optimize: rejectionSampling({
          generate: samples({ samples: 4, temperature: 0.4 }),
          reward: everything(),
          update: supervised({ steps: 60, batch: 128, learningRate: 0.2, replay: { newest: 1 } }),
        }),
        refine: sampledDecoding(),
        evaluate: { ...evaluate, perStratum: 256 },
        budget: { rounds: 6 },
        seed,
        ...guards,
      }),
  },
  {
    name: "hackable verifier",
    story:
      "The verifier that rewards takes any answer that contains the right digit, so writing all digits is always right by it. A stricter judge, which only guards may ask, takes the digit alone.",
    caughtBy: ["verifier integrity", "reward hacking"],
    within: 2,
    lines: [
      { meter: "accuracy", label: "right by the verifier" },
      { meter: "pass@1", label: "right in truth" },
    ],
    define: ({ seed, guards }) =>
      defineRun({
        ...onDigits,
        name: "hackable",
        task: lastDigit({
          name: "last-digit-contained",
          accepts: ({ prompt }, { text }) => text.includes(lastDigitOf(prompt)),
          truth: ({ prompt }, { text, complete }) => complete && text === lastDigitOf(prompt),
          maxTokens: 12,
        }),
        prepare: supervised({ on: demonstrations(), steps: 2, batch: 16, learningRate: 0.1 }),
        optimize: verifiedFor(30),
        budget: { rounds: 5 },
        seed,
        ...guards,
      }),
  },
  {
    name: "stale sampler",
    story:
      "The engine goes on sampling from the weights of the first round: what is learnt from was written by a model that is no more.",
    caughtBy: ["sampler freshness", "logprob mismatch"],
    within: 2,
    lines: [
      { meter: "accuracy", label: "accuracy" },
      { meter: "mismatch KL", label: "sampler from trainer, nats a token" },
    ],
    define: ({ seed, guards }) =>
      defineRun({
        ...onDigits,
        name: "stale",
        engine: staleEngine(onDigits.engine),
        prepare: supervised({ on: demonstrations(), steps: 4, batch: 32, learningRate: 0.1 }),
        optimize: verifiedFor(10),
        // Trained on where it stands: loading it anew would make the sampler fresh.
        afterReject: "candidate",
        budget: { rounds: 4 },
        seed,
        ...guards,
      }),
  },
  {
    name: "leaked decision items",
    story:
      "A file that was found holds items of all splits, and calls all of them training items: the gate would ask what was learnt by heart.",
    caughtBy: ["item identity"],
    within: 1,
    lines: [
      { meter: "accuracy", label: "accuracy" },
      { meter: "training reward", label: "training reward" },
    ],
    define: ({ seed, guards }) =>
      defineRun({
        ...onDigits,
        name: "leaked",
        prepare: supervised({ on: demonstrations(), steps: 4, batch: 32, learningRate: 0.1 }),
        acquire: [leakingItems({ items: 256 })],
        optimize: verifiedFor(10),
        budget: { rounds: 3 },
        seed,
        ...guards,
      }),
  },
  {
    name: "majority lock-in",
    story:
      "The model rewards itself for what most of its attempts say. For half of the digits most of them are wrong, and each round makes them surer.",
    caughtBy: ["majority lock-in", "verifier integrity", "diversity collapse"],
    within: 3,
    lines: [
      { meter: "pass@1", label: "one attempt is right" },
      { meter: "pass@k", label: "any of 16 is right" },
      { meter: "locked to a wrong answer", label: "locked to a wrong answer" },
    ],
    define: ({ seed, guards }) =>
      defineRun({
        ...onDigits,
        name: "majority",
        prepare: supervised({ on: misled("56789", 0.6), steps: 60, learningRate: 0.1 }),
        optimize: rejectionSampling({
          generate: samples({ samples: 8 }),
          reward: majority(),
          update: supervised({ steps: 15, learningRate: 0.1, replay: { newest: 1 } }),
        }),
        budget: { rounds: 5 },
        seed,
        ...guards,
      }),
  },
  ...guardFaults,
];
