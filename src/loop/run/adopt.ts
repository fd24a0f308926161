import { z } from "zod";
import type { Json } from "../../foundation/base/index.ts";
import type { Ledger, RunLedger } from "../../foundation/ledger/index.ts";
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

function factOf({ name }: RunDefinition): string {
  return `champion/${name}`;
}
