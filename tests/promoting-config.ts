import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { root } from "./cli-program.ts";

const stringTask = pathToFileURL(join(root, "dist/world/task/string-task.js")).href;

/** A config whose rounds are promoted one after the other, without Python: the last character of a string. */
export function promotingConfig({ rounds = 1, options = "" } = {}): string {
  return `import { defineRun, demonstrations, procedural, rejectionSampling, sampledDecoding, samples, supervised, tabular } from "whetstone";
import { stringTask } from "${stringTask}";

export default defineRun({
  name: "letters",
  engine: tabular({ horizon: 2, backOff: 2, deviation: 0 }),
  task: stringTask(
    { name: "last letter", version: 1, answer: (all) => all.at(-1) ?? "", known: (length, at) => at(length - 1) },
    { lengths: [5, 5], growTo: 5, measureTo: 5 },
  ),
  prepare: supervised({ on: demonstrations(), steps: 5, batch: 32, learningRate: 0.1 }),
  acquire: [demonstrations({ items: 16 }), procedural({ difficulty: "next", items: 128 })],
  optimize: rejectionSampling({
    generate: samples({ samples: 4, temperature: 1 }),
    update: supervised({ steps: 6, learningRate: 0.1 }),
  }),
  refine: sampledDecoding(),
  evaluate: { perStratum: 64, auditPerStratum: 32, finalAuditPerStratum: 64 },
  budget: { rounds: ${rounds} },
  ${options}
});
`;
}
