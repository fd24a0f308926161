import { z } from "zod";
import { nearest, readOptions, userError, type WhetstoneError } from "../../foundation/base/index.ts";
import {
  type LedgerReader,
  type LineageReader,
  readLedger,
  readLineage,
} from "../../foundation/ledger/index.ts";
import { projectFolder, runName } from "./arguments.ts";
import { chosenRun, noRun } from "./find-run.ts";
import { exampleTrace } from "./trace/example-trace.ts";
import { checkpointNamed } from "./trace/find-checkpoint.ts";
import { findExamples, matchesOf } from "./trace/find-examples.ts";
import type { CheckpointTrace, Trace } from "./trace/trace-schema.ts";
import { roundsOf, shareOf, type TraceGround, weightsBehind } from "./trace/weights-behind.ts";

export type { Trace } from "./trace/trace-schema.ts";

export interface TraceOptions {
  /** The project folder of a run; the current folder if left out. */
  readonly folder?: string;
  /**
   * `champion`, `base`, `candidate`, `round-3`, a checkpoint's name or path; an example's id, or how it begins; or the text of an
   * answer that was learnt from, or of a prompt, which may stand in double quotes.
   */
  readonly of: string;
  /** A run by its name, for `champion` and the like; the last one if left out. */
  readonly run?: string;
}

const optionsSchema = z.strictObject({ folder: projectFolder, of: z.string().min(1), run: runName });

/**
 * Where weights, an example or an answer came from, back to the roots: what was learnt from, how many tokens of it, who wrote it,
 * and how much no model wrote. Throws user errors `no-run`, `no-weights` and `nothing-traced`, and environment errors
 * `artifact-missing` and `artifact-damaged`.
 *
 * @example
 * const definition = defineRun({ task: reverse({ lengths: [1, 3], growTo: 6 }), engine: tabular(), budget: { rounds: 1 } });
 * const folder = await mkdtemp(join(tmpdir(), "run-"));
 * await run(definition, { folder });
 * const traced = await trace({ folder, of: "candidate" });
 * if (traced.kind === "checkpoint") console.log(traced.realShare, traced.rounds);
 */
export async function trace(options: TraceOptions): Promise<Trace> {
  const { folder, of, run } = readOptions("trace()", optionsSchema, options);
  using ledger = readLedger({ folder });
  if (ledger === undefined || ledger.runs().length === 0) throw noRun();
  return await readLineage(folder, ledger, (lineage) => traceIn(ledger, lineage, of, run));
}

async function traceIn(
  ledger: LedgerReader,
  lineage: LineageReader,
  of: string,
  run: string | undefined,
): Promise<Trace> {
  const { index, unreadable } = lineage;
  const eventsOf = (id: string) => ledger.events(id);
  const ground: TraceGround = { index, eventsOf };
  const chosen = chosenRun(ledger.runs(), run);
  const names = index.checkpoints();
  const checkpoint = checkpointNamed(of, eventsOf(chosen.id), names);
  if (checkpoint !== undefined) return checkpointTrace(ground, checkpoint, unreadable);
  const found = await findExamples(lineage, of);
  const [only, ...others] = found.examples;
  if (only === undefined) throw nothingTraced(of, names, unreadable);
  return others.length > 0 ? matchesOf(of, found, unreadable) : exampleTrace(ground, lineage, only);
}

function checkpointTrace(
  ground: TraceGround,
  checkpoint: string,
  unreadable: readonly string[],
): CheckpointTrace {
  const weights = weightsBehind(ground, [checkpoint]);
  const own = new Map(weights.map((one) => [one.checkpoint, one]));
  let [tokens, realTokens] = [0, 0];
  for (let at = own.get(checkpoint); at !== undefined; at = at.from === null ? undefined : own.get(at.from)) {
    tokens += at.training?.tokens ?? 0;
    realTokens += at.training?.realTokens ?? 0;
  }
  return {
    kind: "checkpoint",
    checkpoint,
    tokens,
    realTokens,
    realShare: shareOf(realTokens, tokens),
    weights,
    rounds: roundsOf(ground.index, weights),
    unreadable: [...unreadable],
  };
}

function nothingTraced(
  of: string,
  checkpoints: readonly string[],
  unreadable: readonly string[],
): WhetstoneError {
  const meant = nearest(of, ["champion", "base", "candidate", ...checkpoints]);
  const hint =
    checkpoints.length === 0
      ? "no run of this folder has kept what it learnt from."
      : meant === undefined
        ? "it is no checkpoint, no beginning of an example's id, and the text of no answer or prompt that was learnt from. `whetstone trace champion` lists examples to begin with."
        : `did you mean ${meant}?`;
  const lost =
    unreadable.length === 0 ? "" : ` ${unreadable.length} records cannot be read: ${unreadable[0]}`;
  return userError("nothing-traced", `Nothing here is called ${JSON.stringify(of)}: ${hint}${lost}`, { of });
}
