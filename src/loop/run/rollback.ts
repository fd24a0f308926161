import { z } from "zod";
import { type Clock, readOptions, systemClock, userError, valueWith } from "../../foundation/base/index.ts";
import type { EventOf, StoredEvent } from "../../foundation/contract/index.ts";
import { openLedger, type RunRecord, readLedger } from "../../foundation/ledger/index.ts";
import { lastBegun } from "../round/last-begun.ts";
import { crownAgain } from "./adopt.ts";
import { projectFolder, runName } from "./arguments.ts";
import { chosenRun, noRun } from "./find-run.ts";
import { championOf, type SavedWeights } from "./weights.ts";

export interface RollbackOptions {
  /** The project folder; the current folder if left out. */
  readonly folder?: string;
  /** A round that was promoted, or `base`; the promotion before the champion's if left out. */
  readonly to?: "base" | number;
  /** A run by its name; the last one if left out. */
  readonly run?: string;
  /** For those who read the report. */
  readonly reason?: string;
  readonly clock?: Clock;
}

const optionsSchema = z.strictObject({
  folder: projectFolder,
  to: z.union([z.literal("base"), z.number().int().min(0)]).optional(),
  run: runName,
  reason: z.string().default(""),
  clock: valueWith<Clock>("monotonic", "expected a clock").optional(),
});

export interface Rollback {
  readonly run: string;
  readonly from: SavedWeights;
  readonly to: SavedWeights;
  readonly reason: string;
  /** The last round that was begun. */
  readonly round: number;
  /** That round was not finished: it is given up, and counts as played. */
  readonly givenUp: boolean;
}

/**
 * Takes a run's champion back to an earlier promotion, or to the base: later rounds and edited configurations go on from
 * there, and running again audits it. Recorded as `champion-rolled-back`. Throws user errors `no-run`, `folder-in-use`,
 * `nothing-to-roll-back`, `not-promoted` and `run-superseded`.
 *
 * @example
 * const folder = await mkdtemp(join(tmpdir(), "run-"));
 * const prepare = supervised({ on: demonstrations(), steps: 10, learningRate: 0.3 });
 * const definition = defineRun({ task: reverse({ lengths: [1, 4] }), engine: tabular(), prepare, budget: { rounds: 0 } });
 * await run(definition, { folder });
 * await rollback({ folder }).catch(({ code }) => console.log(code)); // "nothing-to-roll-back": the base is the champion
 */
export async function rollback(options: RollbackOptions = {}): Promise<Rollback> {
  const read = readOptions("rollback()", optionsSchema, options);
  const { folder, to, run, reason, clock = systemClock } = read;
  refuseWithoutRun(folder);
  using ledger = openLedger({ folder, clock });
  const runs = ledger.runs();
  const record = chosenRun(runs, run);
  refuseSuperseded(record, runs);
  const journal = ledger.openRun(record);
  const events = journal.events();
  const from = championOf(events);
  if (from === undefined || (from.round === 0 && to === undefined)) throw nothingToRollBack();
  const target = targetOf(events, from, to);
  if (target.checkpoint === from.checkpoint) throw isChampion(target);
  const round = lastBegun(events);
  const event: EventOf<"champion-rolled-back"> = {
    type: "champion-rolled-back",
    round,
    from,
    to: target,
    reason,
    by: "person",
  };
  // Remembered first: the event says that it is done.
  if (!crownAgain(ledger, record, target.checkpoint))
    throw userError(
      "not-remembered",
      `What ${nameOf(target)} had learnt is not recorded here: run \`whetstone run\` once, which records it, and roll back then.`,
    );
  journal.append(`rolled-back/${events.length}`, event);
  const givenUp = !isFinished(events, round);
  return { run: record.id, from, to: target, reason, round, givenUp };
}

/** A folder that nobody ran in is left as it is. */
function refuseWithoutRun(folder: string): void {
  using reader = readLedger({ folder });
  if ((reader?.runs() ?? []).length === 0) throw noRun();
}

/** An edited configuration has gone on from there: its run is the one whose champion counts. */
function refuseSuperseded(record: RunRecord, runs: readonly RunRecord[]): void {
  const last = runs.findLast(({ name }) => name === record.name);
  if (last === undefined || last.id === record.id) return;
  throw userError(
    "run-superseded",
    `The run ${last.id} has gone on from ${record.id}: roll that one back, with \`--to base\` to where it began.`,
    { run: last.id },
  );
}

/** Weights that can be gone back to: the base, and promotions whose round was finished. */
function targetOf(
  events: readonly StoredEvent[],
  from: SavedWeights,
  to: "base" | number | undefined,
): SavedWeights {
  const crowned = events.flatMap(({ event }): SavedWeights[] => {
    if (event.type !== "model-prepared" && event.type !== "candidate-promoted") return [];
    const { round, checkpoint } = event;
    return round === 0 || isFinished(events, round) ? [{ round, checkpoint }] : [];
  });
  const wanted = to === "base" ? 0 : to;
  const target =
    wanted === undefined
      ? crowned.findLast(({ round }) => round < from.round)
      : crowned.findLast(({ round }) => round === wanted);
  if (target !== undefined) return target;
  const others = crowned.filter(({ round }) => round !== from.round).map(({ round }) => round);
  const names = others.map((round) => (round === 0 ? "base" : `round-${round}`));
  throw userError(
    "not-promoted",
    `Round ${wanted} was not promoted, so it cannot be the champion; ${names.length === 0 ? "nothing else was promoted" : `it can be ${names.join(", ")}`}.`,
  );
}

function isFinished(events: readonly StoredEvent[], round: number): boolean {
  return round === 0 || events.some(({ event }) => event.type === "round-finished" && event.round === round);
}

function nothingToRollBack() {
  return userError(
    "nothing-to-roll-back",
    "The base is the champion: no round was promoted, so there is nothing to roll back.",
  );
}

function isChampion(target: SavedWeights) {
  return userError("nothing-to-roll-back", `${capital(nameOf(target))} is the champion already.`);
}

function nameOf({ round }: SavedWeights): string {
  return round === 0 ? "the base" : `round ${round}`;
}

function capital(text: string): string {
  return text.charAt(0).toUpperCase() + text.slice(1);
}
