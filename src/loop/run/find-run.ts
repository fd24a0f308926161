import { nearest, userError, type WhetstoneError } from "../../foundation/base/index.ts";
import type { StoredEvent } from "../../foundation/contract/index.ts";
import { type RunRecord, readLedger } from "../../foundation/ledger/index.ts";

export interface RecordedRun {
  readonly record: RunRecord;
  readonly events: readonly StoredEvent[];
}

/** A folder's run by its name, or the last one. Throws a user error `no-run`. Takes no lock. */
export function readRun(folder: string, run?: string): RecordedRun {
  using ledger = readLedger({ folder });
  const record = chosenRun(ledger?.runs() ?? [], run);
  return { record, events: ledger?.events(record.id) ?? [] };
}

/** Throws a user error `no-run` that names the nearest run there is. */
export function chosenRun(runs: readonly RunRecord[], run?: string): RunRecord {
  const record = run === undefined ? runs.at(-1) : runs.find(({ id }) => id === run);
  if (record === undefined) throw run === undefined ? noRun() : unknownRun(run, runs);
  return record;
}

export function noRun(): WhetstoneError {
  return userError("no-run", "There is no run here yet: start one with `whetstone run`.");
}

function unknownRun(run: string, runs: readonly RunRecord[]): WhetstoneError {
  const names = runs.map(({ id }) => id);
  const meant = nearest(run, names) ?? names.at(-1);
  const hint = meant === undefined ? "there is no run yet." : `did you mean ${meant}?`;
  return userError("no-run", `There is no run ${run} here; ${hint}`, { run });
}
