import {
  arithmetic,
  defineRun,
  prompts,
  rejectionSampling,
  samples,
  supervised,
  verifier,
  withParameters,
} from "whetstone";

/**
 * A pretrained chat model gets better at sums by its own right answers (rejection sampling): no answer is shown to it. In
 * each round it answers 192 questions six times each, and learns from those answers whose last number is the result.
 * Products are few, so all of them are asked and none is claimed; sums and differences are claimed on questions that it
 * never saw. `arithmetic.jsonl` beside this file has 1,000 such questions with their answers, for a run on a file.
 */
export default withParameters({ seed: 0 }, ({ seed }) =>
  defineRun({
    name: "smollm",
    model: "smollm2-135m",
    precision: "mixed",
    task: arithmetic(),
    acquire: [prompts({ items: 192 })],
    // Every product was asked by the second round, and may be asked again.
    select: [],
    optimize: rejectionSampling({
      generate: samples({ samples: 6, temperature: 0.7 }),
      reward: verifier(),
      update: supervised({
        steps: 48,
        batch: 8,
        learningRate: 2e-5,
        optimizerState: "fresh",
        replay: { newest: 1 },
      }),
    }),
    evaluate: { perStratum: 64, auditPerStratum: 16, finalAuditPerStratum: 128 },
    // A round's step of six to ten points is within what so many pairs can show.
    gate: { cap: 600 },
    baselines: { off: "the example is to take minutes; npm run bench:smollm measures it" },
    budget: { rounds: 3 },
    seed,
  }),
);
