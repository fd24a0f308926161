import type { DataAnswers, NamedColumns } from "./data-answers.ts";

/** What a file asks for where it does not say: of a trained model little and gentle, of one from scratch all. */
interface Course {
  readonly imports: readonly string[];
  readonly lines: readonly string[];
  /** What it does, for people. */
  readonly what: string;
}

/** Two passes over the training answers, then over right answers of its own to new training prompts, each round. */
const fineTuning: Course = {
  imports: ["inTurn", "rejectionSampling", "samples", "supervised", "supervisedFineTuning", "verifier"],
  lines: [
    "optimize: inTurn(",
    "  supervisedFineTuning({ epochs: 2, learningRate: 2e-5 }),",
    "  rejectionSampling({",
    "    generate: samples({ samples: 4, temperature: 0.7 }),",
    "    reward: verifier(),",
    '    update: supervised({ steps: 36, batch: 6, learningRate: 2e-5, optimizerState: "fresh", replay: { newest: 1 } }),',
    "  }),",
    "),",
    'precision: "mixed",',
    "evaluate: { perStratum: 64, finalAuditPerStratum: 128 },",
  ],
  what: "round 1 learns from the training answers, later rounds from the model's own right answers",
};

const fromScratch: Course = {
  imports: ["rejectionSampling", "samples", "supervised", "tiny", "verifier"],
  lines: [
    "prepare: supervised({ on: demonstrations(), steps: 800, learningRate: 3e-3 }),",
    "optimize: rejectionSampling({ generate: samples({ samples: 4 }), reward: verifier() }),",
  ],
  what: "preparation learns from the training answers, then every round from the model's own right answers",
};

const sizes = {
  tiny: "tiny({ layers: 3, width: 64, heads: 2 })",
  small: "tiny({ layers: 4, width: 128, heads: 4 })",
} as const;

function courseOf({ model }: DataAnswers): Course {
  return model.kind === "scratch" ? fromScratch : fineTuning;
}

/** What the run will do, for people. */
export function methodOf(answers: DataAnswers): string {
  return courseOf(answers).what;
}

/** The text of a whetstone.config.ts that learns from a file. */
export function dataConfigText(answers: DataAnswers): string {
  const { data, model, rounds } = answers;
  const { imports, lines } = courseOf(answers);
  const { verifier = "exact", choices, reason = "" } = data.choice ?? {};
  const of = choices === undefined ? "" : `{ choices: ${JSON.stringify(choices).replaceAll('","', '", "')} }`;
  const names = ["dataset", "defineRun", "demonstrations", "prompts", verifier, ...imports];
  const options = [
    `file: new URL(${JSON.stringify(urlOf(data.path))}, import.meta.url)`,
    ...columnsText(data.columns),
    `verifier: ${verifier}(${of})`,
    ...(data.skip ? ["skipInvalid: true"] : []),
  ];
  const weights =
    model.kind === "scratch"
      ? sizes[model.size]
      : JSON.stringify(model.kind === "named" ? model.name : model.path);
  return `${importOf(names.sort())}

export default defineRun({
  name: ${JSON.stringify(data.task.name.slice(0, 80))},
  model: ${weights},
  // ${verifier}: ${reason}
  task: await dataset({ ${options.join(", ")} }),
  acquire: [demonstrations(), prompts({ items: 128 })],
  select: [], // a line may be learnt from again once all have been
${[...lines, ...(data.gated ? [] : ['gate: { mode: "observe" }, // too few lines to show any gain'])]
  .map((line) => `  ${line}`)
  .join("\n")}
  budget: { rounds: ${rounds} },
});
`;
}

function columnsText(columns: NamedColumns): string[] {
  const named = Object.entries(columns).map(([column, name]) => `${column}: ${JSON.stringify(name)}`);
  return named.length === 0 ? [] : [`columns: { ${named.join(", ")} }`];
}

/** An import as a formatter would leave it: on one line where it fits. */
function importOf(names: readonly string[]): string {
  const line = `import { ${names.join(", ")} } from "whetstone";`;
  return line.length <= 100 ? line : `import {\n  ${filled(names).join("\n  ")}\n} from "whetstone";`;
}

/** Names in lines of at most 90 characters. */
function filled(names: readonly string[]): string[] {
  const lines: string[] = [];
  for (const name of names) {
    const last = lines.at(-1);
    if (last !== undefined && last.length + name.length < 88) lines[lines.length - 1] = `${last} ${name},`;
    else lines.push(`${name},`);
  }
  return lines;
}

/** A relative path as a URL says it: what would begin a query or a fragment, or an escape, is escaped. */
function urlOf(path: string): string {
  return path.replace(/[%#?\\]/g, encodeURIComponent);
}
