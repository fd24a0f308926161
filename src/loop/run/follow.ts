import { setTimeout as wait } from "node:timers/promises";
import { isDeepStrictEqual } from "node:util";
import { z } from "zod";
import { readOptions } from "../../foundation/base/index.ts";
import type { Progress, StoredEvent } from "../../foundation/contract/index.ts";
import { readLedger, readProgress } from "../../foundation/ledger/index.ts";
import { abortSignal, projectFolder } from "./arguments.ts";
import { type OpenStage, openStage, stageParts, stepsOf } from "./follow/stage-parts.ts";

export interface FollowOptions {
  /** The project folder; the current folder if left out. */
  readonly folder?: string;
  /** Time between two looks into the ledger; default 500 ms. */
  readonly intervalMs?: number;
  /** Ends the watching; the run goes on. */
  readonly signal?: AbortSignal;
}

const optionsSchema = z.strictObject({
  folder: projectFolder,
  intervalMs: z.number().min(1).default(500),
  signal: abortSignal,
});

/** What came since the last look. */
export interface Followed {
  /** The run that the events are of: an edited configuration begins another one. */
  readonly run: string;
  readonly events: readonly StoredEvent[];
  /** How far the stage under way is, in words, as far as finished parts of it are stored. */
  readonly parts: readonly string[];
  /** How far whoever runs is at the moment, a second ago at most; null where nothing is heard of that. */
  readonly progress: Progress | null;
  /** Whether somebody runs in the folder. */
  readonly running: boolean;
}

/**
 * A folder's last run as it goes on in another process, read-only: first all that is stored, then what comes. Progress within a
 * stage comes about once a second, and is not stored; its finished parts are. Ends when nobody runs in the folder any more,
 * however that came; at once where nobody does, after what is stored.
 *
 * @example
 * const folder = await mkdtemp(join(tmpdir(), "run-"));
 * const prepare = supervised({ on: demonstrations(), steps: 10, learningRate: 0.3 });
 * const definition = defineRun({ task: reverse({ lengths: [1, 4] }), engine: tabular(), prepare, budget: { rounds: 0 } });
 * await run(definition, { folder });
 * for await (const { events } of followRun({ folder })) for (const { event } of events) console.log(event.type);
 */
export function followRun(options: FollowOptions = {}): AsyncGenerator<Followed> {
  return follow(readOptions("followRun()", optionsSchema, options));
}

async function* follow(options: z.output<typeof optionsSchema>): AsyncGenerator<Followed> {
  const { folder, intervalMs, signal } = options;
  let seen: Seen = { run: "", last: 0, stage: undefined, parts: [], progress: null };
  while (signal?.aborted !== true) {
    const look = lookInto(folder, seen);
    if (look !== undefined) {
      const { run, events, parts, progress, running, stage } = look;
      const news =
        run !== seen.run ||
        events.length > 0 ||
        parts.join() !== seen.parts.join() ||
        !isDeepStrictEqual(progress, seen.progress);
      if (news || !running) yield { run, events, parts, progress, running };
      seen = { run, last: events.at(-1)?.id ?? (run === seen.run ? seen.last : 0), stage, parts, progress };
      if (!running) return;
    }
    // Nobody has begun the ledger, and nobody is about to.
    if (look === undefined && !isHeld(folder)) return;
    await wait(intervalMs, undefined, signal ? { signal } : {}).catch(() => undefined);
  }
}

/** What the last look has found. */
interface Seen {
  readonly run: string;
  /** The newest event's id. */
  readonly last: number;
  readonly stage: OpenStage | undefined;
  readonly parts: readonly string[];
  readonly progress: Progress | null;
}

/** Looks at who runs first: what is stored after the last one has gone is then seen too. */
function lookInto(folder: string, seen: Seen): (Followed & Pick<Seen, "stage">) | undefined {
  using ledger = readLedger({ folder });
  const running = ledger?.holder() !== undefined;
  const run = ledger?.runs().at(-1)?.id;
  if (ledger === undefined || run === undefined) return undefined;
  const known = run === seen.run;
  const events = ledger.events(run, known ? seen.last : 0);
  const stage = openStage(events, known ? seen.stage : undefined);
  const parts = stage === undefined ? [] : stageParts(stage, ledger.finishedSteps(run, stepsOf(stage)));
  return { run, events, running, stage, parts, progress: running ? progressOf(folder, stage) : null };
}

/** What was heard before the stage began is of another one. */
function progressOf(folder: string, stage: OpenStage | undefined): Progress | null {
  const latest = readProgress(folder);
  if (latest === undefined) return null;
  const { after, progress } = latest;
  if (progress.stage === "set-up" || progress.stage === "engine") return progress;
  return stage !== undefined && progress.stage === stage.stage && after >= stage.begun ? progress : null;
}

function isHeld(folder: string): boolean {
  using ledger = readLedger({ folder });
  return ledger?.holder() !== undefined;
}
