import { join } from "node:path";
import { z } from "zod";
import { randomStream, readOptions, userError, valueWith } from "../../foundation/base/index.ts";
import type { Harness, JudgedAnswer, Measurement } from "../../foundation/contract/index.ts";
import { ledgerFolder, readLedger } from "../../foundation/ledger/index.ts";
import { evaluationItems, measure } from "../../lifecycle/evaluate/index.ts";
import type { RunDefinition } from "../round/definition.ts";
import { abortSignal, checkDefinition, projectFolder, whichWeights } from "./arguments.ts";
import { askedSamplers } from "./asked-samplers.ts";
import { configHash } from "./describe.ts";
import type { RecordedRun } from "./find-run.ts";
import { lendVerifier } from "./lend-verifier.ts";
import { needsOf } from "./listed-items.ts";
import { askedBeside, type WhichWeights, weightsOf, wholeCheckpoint } from "./weights.ts";

export interface AuditOptions {
  /** The project folder of a run of this definition; the current folder if left out. */
  readonly folder?: string;
  /** `["base", "champion"]` if left out. */
  readonly of?: WhichWeights | readonly WhichWeights[];
  /** Audit items of each stratum; enumerated ones are taken whole. */
  readonly perStratum?: number;
  /** How they are answered; the run's own way if left out. */
  readonly harness?: Harness;
  readonly signal?: AbortSignal;
}

export interface Audit {
  readonly of: WhichWeights;
  readonly measurement: Measurement;
  readonly answers: readonly JudgedAnswer[];
}

const optionsSchema = z.strictObject({
  folder: projectFolder,
  of: z.union([whichWeights, z.array(whichWeights).min(1).readonly()]).default(["base", "champion"]),
  perStratum: z.number().int().min(1).default(1024),
  harness: valueWith<Harness>("answer", "expected something like greedyDecoding()").optional(),
  signal: abortSignal,
});

/**
 * Answers the same audit items with each of the weights that are asked for. For people: a measurement that steers later
 * training makes audit items worthless. Throws user errors `no-run` and `no-weights`.
 *
 * @example
 * const definition = defineRun({ task: reverse({ lengths: [1, 3], growTo: 6 }), engine: tabular(), budget: { rounds: 1 } });
 * const folder = await mkdtemp(join(tmpdir(), "run-"));
 * await run(definition, { folder });
 * const [base, last] = await auditRun(definition, { folder, of: ["base", "candidate"], perStratum: 64 });
 */
export async function auditRun(definition: RunDefinition, options: AuditOptions = {}): Promise<Audit[]> {
  checkDefinition("auditRun()", definition);
  const read = readOptions("auditRun()", optionsSchema, options);
  const { folder, of, perStratum, harness = definition.refine, signal } = read;
  const { task, model, precision, optimize, seed } = definition;
  await using _verifier = lendVerifier(task, folder);
  const { events } = runOf(definition, folder);
  const wanted = await Promise.all(
    [of].flat().map(async (which) => {
      const weights = weightsOf(events, which);
      const { checkpoint } = weights;
      const asked = (harness.asks ?? []).length === 0 ? {} : askedBeside(events, weights);
      return { of: which, checkpoint, path: await wholeCheckpoint(folder, checkpoint), asked };
    }),
  );
  const { tokenizer } = await model.prepare(join(ledgerFolder(folder), "models"), needsOf(task, folder));
  await using engine = await definition.engine.open({
    logFolder: join(ledgerFolder(folder), "logs"),
    ...(signal ? { signal } : {}),
  });
  const random = randomStream(seed, "audit-run");
  const items = evaluationItems({ task, split: "audit", perStratum, random });
  const answersSeed = random.fork("answers").seed();
  const audits: Audit[] = [];
  for (const { of: which, checkpoint, path, asked } of wanted) {
    await using sampler = await engine.loadSampler({
      source: { kind: "checkpoint", path, optimizer: false },
      precision,
      tokenBytes: tokenizer.tokenBytes(),
    });
    await using beside = await askedSamplers({ engine, precision, tokenizer, folder, asked });
    const { measurement, judged } = await measure({
      task,
      harness,
      policy: { role: optimize.lead, sampler, tokenizer },
      asked: beside.asked,
      weightVersion: checkpoint,
      items,
      split: "audit",
      seed: answersSeed,
      ...(signal ? { signal } : {}),
    });
    audits.push({ of: which, measurement, answers: judged });
  }
  return audits;
}

/** The last run of this definition, or of its name where the definition was edited since. Throws a user error `no-run`. */
export function runOf(definition: RunDefinition, folder: string): RecordedRun {
  using ledger = readLedger({ folder });
  const hash = configHash(definition);
  const runs = ledger?.runs() ?? [];
  const record =
    runs.findLast(({ configHash: own }) => own === hash) ??
    runs.findLast(({ name }) => name === definition.name);
  if (ledger === undefined || record === undefined)
    throw userError(
      "no-run",
      `${folder} holds no run of ${definition.name}: start it with \`whetstone run\`.`,
    );
  return { record, events: ledger.events(record.id) };
}
