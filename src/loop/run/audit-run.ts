import { existsSync } from "node:fs";
import { join } from "node:path";
import { randomStream, userError } from "../../foundation/base/index.ts";
import type { Harness, JudgedAnswer, Measurement, StoredEvent } from "../../foundation/contract/index.ts";
import { ledgerFolder, readLedger } from "../../foundation/ledger/index.ts";
import { evaluationItems, measure } from "../../lifecycle/evaluate/index.ts";
import type { RunDefinition } from "../round/definition.ts";
import { configHash } from "./describe.ts";
import { lendVerifier } from "./lend-verifier.ts";

/** Weights that a run has made: a round's candidate by its number (0 is the preparation), the champion, or the newest candidate. */
export type WhichWeights = "base" | "champion" | "candidate" | number;

export interface AuditOptions {
  /** The project folder of a run of this definition. */
  readonly folder: string;
  readonly of: WhichWeights | readonly WhichWeights[];
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
export async function auditRun(definition: RunDefinition, options: AuditOptions): Promise<Audit[]> {
  const { folder, of, perStratum = 1024, harness = definition.refine, signal } = options;
  const { task, model, precision, optimize, seed } = definition;
  await using _verifier = lendVerifier(task, folder);
  const events = eventsOf(definition, folder);
  const wanted = [of].flat().map((which) => ({ of: which, checkpoint: checkpointOf(events, which) }));
  const needs = { characters: task.characters, projectFolder: folder };
  const { tokenizer } = await model.prepare(join(ledgerFolder(folder), "models"), needs);
  await using engine = await definition.engine.open({
    logFolder: join(ledgerFolder(folder), "logs"),
    ...(signal ? { signal } : {}),
  });
  const random = randomStream(seed, "audit-run");
  const items = evaluationItems({ task, split: "audit", perStratum, random });
  const answersSeed = random.fork("answers").seed();
  const audits: Audit[] = [];
  for (const { of: which, checkpoint } of wanted) {
    await using sampler = await engine.loadSampler({
      source: { kind: "checkpoint", path: pathOf(folder, checkpoint), optimizer: false },
      precision,
      tokenBytes: tokenizer.tokenBytes(),
    });
    const { measurement, judged } = await measure({
      task,
      harness,
      policy: { role: optimize.lead, sampler, tokenizer },
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

function eventsOf(definition: RunDefinition, folder: string): readonly StoredEvent[] {
  using ledger = readLedger({ folder });
  const hash = configHash(definition);
  const record = ledger?.runs().findLast(({ configHash: own }) => own === hash);
  if (ledger === undefined || record === undefined)
    throw userError("no-run", `${folder} holds no run of this definition: start one first.`);
  return ledger.events(record.id);
}

/** The checkpoint of the role that answers. */
function checkpointOf(events: readonly StoredEvent[], which: WhichWeights): string {
  const rounds = new Map<number, string>();
  let [champion, candidate]: (string | undefined)[] = [];
  for (const { event } of events) {
    if (event.type === "model-prepared") champion = event.checkpoint;
    if (event.type === "candidate-promoted") champion = event.checkpoint;
    if (event.type === "model-prepared" || event.type === "training-finished") {
      candidate = event.checkpoint;
      rounds.set(event.round, event.checkpoint);
    }
  }
  const name =
    which === "champion"
      ? champion
      : which === "candidate"
        ? candidate
        : rounds.get(which === "base" ? 0 : which);
  if (name !== undefined) return name;
  const what = typeof which === "number" ? `round ${which}` : which;
  throw userError("no-weights", `This run has no weights of its ${what} yet.`);
}

function pathOf(folder: string, checkpoint: string): string {
  const path = join(ledgerFolder(folder), "checkpoints", checkpoint);
  if (existsSync(path)) return path;
  throw userError("no-weights", `${path} is not there any more.`, { path });
}
