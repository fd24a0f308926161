import {
  agreement,
  characters,
  defineRun,
  demonstrations,
  everything,
  greedy,
  modalLength,
  procedural,
  rejectionSampling,
  reverse,
  supervised,
  tiny,
  verifier,
  withParameters,
} from "whetstone";
import { faults } from "./faults.ts";

const rewards = {
  /** Two models, trained apart, must give the same answer. */
  peers: agreement({ peers: 2 }),
  /** The answer must be as long as most answers to prompts of its length. */
  length: modalLength(),
  /** Everything is kept: errors feed on themselves. */
  none: everything(),
  /** The truth itself: what no filter can do better than. */
  verifier: verifier(),
};

/**
 * Small decoders learn to reverse strings of 1 to 8 digits from demonstrations, then teach themselves longer ones on labels
 * that only they wrote (after arXiv 2502.01612). `--filter none` shows what happens without a filter, `--control base-only`
 * what the same training does without new labels; in both, gate and guards only observe. `--fault stale-sampler` plants a fault
 * (faults.ts has them), which a guard finds.
 */
export default withParameters(
  {
    filter: ["peers", "length", "none", "verifier"],
    control: ["off", "base-only"],
    fault: [
      "none",
      "self-consuming-loop",
      "hackable-verifier",
      "stale-sampler",
      "leaked-decision-items",
      "majority-lock-in",
    ],
    seed: 0,
  },
  ({ filter, control, fault, seed }) => {
    if (fault !== "none" && (filter !== "peers" || control !== "off"))
      throw new Error("--fault goes without --filter and --control: it is a run of its own");
    return defineRun({
      name: [
        "reverse",
        ...(filter === "peers" ? [] : [filter]),
        ...(control === "off" ? [] : [control]),
        ...(fault === "none" ? [] : [fault]),
      ].join("-"),
      model: tiny({
        layers: 3,
        width: 64,
        heads: 2,
        positions: "none",
        tokenizer: characters("0123456789="),
      }),
      task: reverse({ lengths: [1, 8], growTo: 16, measureTo: 18 }),
      prepare: supervised({ on: demonstrations(), steps: 1500, learningRate: 3e-3 }),
      acquire: [
        demonstrations(),
        ...(control === "off" ? [procedural({ difficulty: "next", items: 2048 })] : []),
      ],
      optimize: rejectionSampling({
        generate: greedy(),
        reward: rewards[filter],
        update: supervised({ steps: 100, learningRate: 1e-3, replay: { newest: 0.5 } }),
      }),
      gate: { mode: filter === "none" || control !== "off" ? "observe" : "decide" },
      baselines: {
        off: "the demo is to take a minute or two; its controls are runs of their own (--filter none, --control base-only)",
      },
      budget: { rounds: 8 },
      ...(fault === "none" ? {} : faults[fault]()),
      seed,
    });
  },
);
