import { setTimeout as wait } from "node:timers/promises";
import { z } from "zod";
import { readOptions } from "../../foundation/base/index.ts";
import type { StoredEvent } from "../../foundation/contract/index.ts";
import { readLedger } from "../../foundation/ledger/index.ts";
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
  /** Whether somebody runs in the folder. */
  readonly running: boolean;
}

/**
 * A folder's last run as it goes on in another process, read-only: first all that is stored, then what comes. Of progress within
 * a stage only its finished parts are stored. Ends when nobody runs in the folder any more, however that came; at once where
 * nobody does, after what is stored.
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
  let seen: Seen = { run: "", last: 0, stage: undefined, parts: [] };
  while (signal?.aborted !== true) {
    const look = lookInto(folder, seen);
    if (look !== undefined) {
      const { run, events, parts, running, stage } = look;
      const news = run !== seen.run || events.length > 0 || parts.join() !== seen.parts.join();
      if (news || !running) yield { run, events, parts, running };
      seen = { run, last: events.at(-1)?.id ?? (run === seen.run ? seen.last : 0), stage, parts };
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
  return { run, events, running, stage, parts };
}

function isHeld(folder: string): boolean {
  using ledger = readLedger({ folder });
  return ledger?.holder() !== undefined;
}
