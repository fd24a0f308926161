import { z } from "zod";
import type { Json } from "../../foundation/base/index.ts";
import type { Ledger, RunLedger, RunRecord } from "../../foundation/ledger/index.ts";
import type { RunDefinition } from "../round/definition.ts";
import { type Lineage, lineageSchema } from "../round/state.ts";
import { configHash, describeRun, weightsKey } from "./describe.ts";

export interface AdoptedRun {
  readonly record: RunLedger;
  /** The champion that a new run goes on from; null when it begins with its own preparation. */
  readonly origin: Lineage | null;
}

const championSchema = z.object({ weights: z.string(), lineage: lineageSchema });

/**
 * The run that this definition is: the last one of its name when nothing but its budget changed, else a new one. A new run
 * goes on from its name's champion when that can train on as the new definition wants it.
 */
export function adoptRun(definition: RunDefinition, ledger: Ledger): AdoptedRun {
  const last = ledger.runs().findLast(({ name }) => name === definition.name);
  if (last !== undefined && last.configHash === configHash(definition))
    return { record: ledger.openRun(last), origin: lineageSchema.nullable().parse(last.origin) };
  const known = championSchema.safeParse(ledger.getFact(factOf(definition)));
  const origin =
    known.success && known.data.weights === weightsKey(definition)
      ? { ...known.data.lineage, round: 0 }
      : null;
  const record = ledger.startRun({
    name: definition.name,
    configHash: configHash(definition),
    description: describeRun(definition),
    seed: definition.seed,
    origin,
  });
  return { record, origin };
}

/** Remembers what the name has come to. */
export function rememberChampion(definition: RunDefinition, ledger: Ledger, champion: Lineage): void {
  ledger.setFact(factOf(definition), { weights: weightsKey(definition), lineage: champion } as Json);
}

/** Remembers a champion beside later ones, so that a person can come back to it. */
export function rememberCrowned(
  definition: RunDefinition,
  ledger: Ledger,
  run: string,
  champion: Lineage,
): void {
  const checkpoint = champion.checkpoints[definition.optimize.lead] ?? "";
  ledger.setFact(crownedFact(run, checkpoint), {
    weights: weightsKey(definition),
    lineage: champion,
  } as Json);
}

/** Makes a champion of before what the name has come to; false where it is not remembered. */
export function crownAgain(ledger: Ledger, run: RunRecord, checkpoint: string): boolean {
  const crowned = championSchema.safeParse(ledger.getFact(crownedFact(run.id, checkpoint)));
  if (crowned.success) ledger.setFact(factOf(run), crowned.data as Json);
  return crowned.success;
}

function crownedFact(run: string, checkpoint: string): string {
  return `crowned/${run}/${checkpoint}`;
}

function factOf({ name }: Pick<RunDefinition, "name">): string {
  return `champion/${name}`;
}
