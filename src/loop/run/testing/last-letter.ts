import { samples } from "../../../gro/generate/index.ts";
import { verifier } from "../../../gro/reward/index.ts";
import { supervised } from "../../../gro/update/index.ts";
import { demonstrations, procedural } from "../../../lifecycle/acquire/index.ts";
import { rejectionSampling } from "../../../lifecycle/optimize/index.ts";
import { sampledDecoding } from "../../../lifecycle/refine/index.ts";
import { tabular } from "../../../model/engine/tabular/index.ts";
import { stringTask } from "../../../world/task/string-task.ts";
import type { RunDefinition } from "../../round/definition.ts";
import { defineRun, type RunConfig } from "../config.ts";

/**
 * Says the last character of strings of a length: one that is measured whole (3), one that is reused (4), one that is fresh (5). It is
 * what a table of two tokens can learn, and generalise to every string.
 */
export const lastLetterOf = (low: number, high: number) =>
  stringTask(
    {
      name: "last letter",
      version: 1,
      answer: (characters) => characters.at(-1) ?? "",
      known: (length, at) => at(length - 1),
    },
    { lengths: [low, high], growTo: high, measureTo: high },
  );

export const lastLetter = lastLetterOf(5, 5);

/** A run without Python whose rounds are promoted one after the other, in about a second each. */
export function promotingRun(rounds: number, rest: Partial<RunConfig> = {}): RunDefinition {
  return defineRun({
    name: "letters",
    engine: tabular({ horizon: 2, backOff: 2, deviation: 0 }),
    task: lastLetter,
    prepare: supervised({ on: demonstrations(), steps: 5, batch: 32, learningRate: 0.1 }),
    acquire: [demonstrations({ items: 16 }), procedural({ difficulty: "next", items: 128 })],
    optimize: rejectionSampling({
      generate: samples({ samples: 4, temperature: 1 }),
      reward: verifier(),
      update: supervised({ steps: 6, learningRate: 0.1 }),
    }),
    refine: sampledDecoding(),
    evaluate: { perStratum: 64, auditPerStratum: 32, finalAuditPerStratum: 64 },
    budget: { rounds },
    ...rest,
  });
}
