import {
  balanceAnswers,
  characters,
  deduplicate,
  defineRun,
  demonstrations,
  grpo,
  parity,
  procedural,
  star,
  supervised,
  tiny,
  withParameters,
} from "whetstone";

/**
 * A model that answers at chance, but once in seven times works the answer out in writing, learns to do so always (after
 * arXiv 2510.11495): by imitating its own right answers, or with `--method grpo` by a policy gradient. Both begin with the
 * same pretrained model; a second run in this folder does not train it again.
 */
export default withParameters({ method: ["star", "grpo"], seed: 0 }, ({ method, seed }) =>
  defineRun({
    name: `parity-${method}`,
    model: tiny({
      layers: 2,
      width: 64,
      heads: 2,
      positions: "learned",
      maxPositions: 34,
      tokenizer: characters("01"),
    }),
    task: parity({ bits: 16, writtenOut: 0.15 }),
    prepare: supervised({ on: demonstrations(), steps: 700, learningRate: 2e-3 }),
    acquire: [procedural({ items: method === "star" ? 2048 : 400 })],
    // A step's 32 prompts hold as many odd as even: else what most of them happen to be becomes every answer's first bit.
    select: method === "star" ? [deduplicate()] : [deduplicate(), balanceAnswers()],
    optimize:
      method === "star"
        ? star({ start: "current", rationalise: false })
        : grpo({ items: 32, samples: 8, steps: 10, learningRate: 3e-4 }),
    evaluate: { perStratum: 1024, finalAuditPerStratum: 1024 },
    baselines: { off: "the example is to take minutes; bench:parity compares its two methods" },
    budget: { rounds: 4 },
    seed,
  }),
);
