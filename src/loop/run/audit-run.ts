import { existsSync } from "node:fs";
import { join } from "node:path";
import { randomStream, userError } from "../../foundation/base/index.ts";
import type { Measurement, StoredEvent } from "../../foundation/contract/index.ts";
import { ledgerFolder, readLedger } from "../../foundation/ledger/index.ts";
import { evaluationItems, measure } from "../../lifecycle/evaluate/index.ts";
import type { RunDefinition } from "../round/definition.ts";
import { configHash } from "./describe.ts";

export interface AuditOptions {
  /** The project folder of a run of this definition. */
  readonly folder: string;
  /** Whose weights: the model after preparation, the champion, or the newest candidate whatever became of it. */
  readonly of: "base" | "champion" | "candidate";
  /** Audit items of each stratum; enumerated ones are taken whole. */
  readonly perStratum?: number;
  readonly signal?: AbortSignal;
}

/**
 * Answers audit items with weights that a run has made, through the run's own harness. For people: a measurement that
 * steers later training makes audit items worthless. Throws user errors `no-run` and `no-weights`.
 *
 * @example
 * const definition = defineRun({ task: reverse({ lengths: [1, 3], growTo: 6 }), engine: tabular(), budget: { rounds: 1 } });
 * const folder = await mkdtemp(join(tmpdir(), "run-"));
 * await run(definition, { folder });
 * const { mean } = await auditRun(definition, { folder, of: "candidate", perStratum: 64 });
 */
export async function auditRun(definition: RunDefinition, options: AuditOptions): Promise<Measurement> {
  const { folder, of, perStratum = 1024, signal } = options;
  const { task, model, engine: engineDefinition, precision, refine, optimize, seed } = definition;
  const path = join(ledgerFolder(folder), "checkpoints", checkpointOf(eventsOf(definition, folder), of));
  if (!existsSync(path)) throw userError("no-weights", `${path} is not there any more.`, { path });
  const { tokenizer } = await model.prepare(join(ledgerFolder(folder), "models"), {
    characters: task.characters,
    projectFolder: folder,
  });
  await using engine = await engineDefinition.open({
    logFolder: join(ledgerFolder(folder), "logs"),
    ...(signal ? { signal } : {}),
  });
  await using sampler = await engine.loadSampler({
    source: { kind: "checkpoint", path, optimizer: false },
    precision,
    tokenBytes: tokenizer.tokenBytes(),
  });
  const random = randomStream(seed, "audit-run");
  const { measurement } = await measure({
    task,
    harness: refine,
    policy: { role: optimize.lead, sampler, tokenizer },
    items: evaluationItems({ task, split: "audit", perStratum, random }),
    split: "audit",
    seed: random.fork("answers").seed(),
    ...(signal ? { signal } : {}),
  });
  return measurement;
}

function eventsOf(definition: RunDefinition, folder: string): readonly StoredEvent[] {
  using ledger = readLedger({ folder });
  const hash = configHash(definition);
  const record = ledger?.runs().findLast(({ configHash: own }) => own === hash);
  if (ledger === undefined || record === undefined)
    throw userError("no-run", `${folder} holds no run of this definition: start one with run().`);
  return ledger.events(record.id);
}

function checkpointOf(events: readonly StoredEvent[], of: AuditOptions["of"]): string {
  const names: Record<AuditOptions["of"], string | undefined> = {
    base: undefined,
    champion: undefined,
    candidate: undefined,
  };
  for (const { event } of events) {
    if (event.type === "model-prepared") names.base = names.champion = names.candidate = event.checkpoint;
    if (event.type === "training-finished") names.candidate = event.checkpoint;
    if (event.type === "candidate-promoted") names.champion = event.checkpoint;
  }
  const name = names[of];
  if (name === undefined) throw userError("no-weights", `This run has no ${of} yet.`);
  return name;
}
