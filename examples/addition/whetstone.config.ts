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
 * What the reverse example does for strings, for sums: operands are interleaved, least significant digits first, so that
 * carries move between neighbours. Two models, trained apart, label longer sums where they agree.
 */
export default withParameters({ seed: 0 }, ({ seed }) =>
  defineRun({
    name: "addition",
    model: tiny({ layers: 3, width: 64, heads: 4, positions: "none", tokenizer: characters("0123456789=") }),
    task: addition({ form: "interleaved", digits: [1, 5], growTo: 12 }),
    prepare: supervised({ on: demonstrations(), steps: 2000, learningRate: 3e-3 }),
    acquire: [demonstrations(), procedural({ difficulty: "next", items: 2048 })],
    optimize: rejectionSampling({
      generate: greedy(),
      reward: agreement({ peers: 2 }),
      update: supervised({ steps: 100, learningRate: 1e-3, replay: { newest: 0.5 } }),
    }),
    budget: { rounds: 7 },
    seed,
  }),
);
