import {
  addition,
  agreement,
  characters,
  defineRun,
  demonstrations,
  greedy,
  procedural,
  rejectionSampling,
  supervised,
  tiny,
  withParameters,
} from "whetstone";

/**
 * What the reverse example does for strings, for sums: operands are interleaved, least significant digits first. Sums are
 * harder, because a carry must be handed on over any distance: the models need four heads and twice the steps, and a
 * difficulty is stayed at until it is solved. Here agreement is a weaker filter, since two models may drop the same carry:
 * how far they get depends on the seed, from one digit more to five.
 */
export default withParameters({ seed: 0 }, ({ seed }) =>
  defineRun({
    name: "addition",
    model: tiny({ layers: 3, width: 64, heads: 4, positions: "none", tokenizer: characters("0123456789=") }),
    task: addition({ form: "interleaved", digits: [1, 8], growTo: 14 }),
    prepare: supervised({ on: demonstrations(), steps: 3000, learningRate: 3e-3 }),
    acquire: [demonstrations(), procedural({ difficulty: "frontier + 1", items: 4096 })],
    optimize: rejectionSampling({
      generate: greedy(),
      reward: agreement({ peers: 2 }),
      update: supervised({ steps: 200, learningRate: 1e-3, replay: { newest: 0.5 } }),
    }),
    baselines: { off: "the example is to take minutes" },
    budget: { rounds: 8 },
    seed,
  }),
);
