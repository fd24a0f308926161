import { isWhetstoneError, messageOf, systemClock, WhetstoneError } from "../../../foundation/base/index.ts";
import type { Budget, Progress, StoredEvent, Watcher } from "../../../foundation/contract/index.ts";
import { rejectionOf } from "../../../loop/run/budget/ask-for-more.ts";
import { type SpentCap, stillSpent } from "../../../loop/run/budget/spending.ts";
import { twoFigures, withBudget } from "../../../loop/run/budget.ts";
import { type BudgetChange, plan, type Question, type RunResult, run } from "../../../loop/run.ts";
import { closingWords, questionWords, type TerminalView, tellRun, terminalView } from "../../report/index.ts";
import { answer } from "../answer.ts";
import type { CliContext } from "../context.ts";
import { exitCodes } from "../exit-codes.ts";
import { interruptible } from "../interruption.ts";
import { type LoadedConfig, loadConfig } from "../load-config.ts";
import type { Output } from "../output.ts";
import type { BudgetFlags } from "../route-parts.ts";
import { writeReport } from "../write-report.ts";

/** Runs or goes on with the run of a folder. With `--json`: one stored event a line, the result at the end. */
export async function runCommand(
  this: CliContext,
  { json, budget }: BudgetFlags,
  where = ".",
): Promise<void> {
  const { output, parameters } = this;
  await answer(this, json, async () => {
    const config = await loadConfig(where, parameters);
    const asked: Asked = { config, where, ...(budget === undefined ? {} : { budget }) };
    const result = json ? await streamed(asked, output) : await drawn(asked, this);
    const report = await reportOf(config.folder, result, output);
    const { events, ...summary } = result;
    if (json) output.json({ type: "result", ...summary, report });
    else {
      for (const line of rejectedBudgetWords(asked, events)) output.line(line);
      const given = withBudget(config.definition, budget ?? {}).budget;
      const words = await wordsFor(result, { report, where, given, config }, this);
      for (const line of words) output.line(line);
    }
    return exitCodeFor(result);
  });
}

interface Asked {
  readonly config: LoadedConfig;
  /** The folder as the command line names it. */
  readonly where: string;
  readonly budget?: BudgetChange;
}

async function streamed(asked: Asked, output: Output): Promise<RunResult> {
  using interruption = interruptible({ say: output.note });
  const watch: Watcher = (event) => {
    if ("event" in event) output.json(event);
  };
  return await attempt(asked, { watch, signal: interruption.signal });
}

async function drawn(asked: Asked, { output, environment }: CliContext): Promise<RunResult> {
  const { stdout } = process;
  using view = terminalView({ stream: stdout, environment, clock: systemClock });
  // Beside a picture that is drawn in place words would be drawn over.
  using interruption = interruptible({ say: stdout.isTTY ? view.note : output.note });
  return await attempt(asked, {
    watch: sayingWhence(view),
    onResume: view.recall,
    onQuestion: (question: Question, { goesOn }: { readonly goesOn: boolean }) => {
      for (const line of questionWords(question, asked.where)) view.note(line);
      view.note(
        goesOn
          ? "This run goes on from the champion meanwhile, and takes the answer in between rounds."
          : "This run waits for the answer; Ctrl-C ends it, and the question stays.",
      );
    },
    signal: interruption.signal,
  });
}

/** After the engine's death the same command is all that is needed, and the error says so. */
async function attempt(
  { config: { definition, folder }, budget }: Asked,
  options: Omit<Parameters<typeof run>[1], "folder">,
): Promise<RunResult> {
  try {
    return await run(definition, { folder, ...(budget === undefined ? {} : { budget }), ...options });
  } catch (error) {
    if (!isWhetstoneError(error) || error.category !== "engine") throw error;
    const { code, category, details } = error;
    const message = `${error.message}\nWhat was finished is recorded; the same command goes on from there.`;
    throw new WhetstoneError({ code, category, details, message, cause: error });
  }
}

/** Says in one line when an edited config begins a new run from what the one before it has come to. */
function sayingWhence(view: TerminalView): Watcher {
  return (event) => {
    if ("event" in event && event.event.type === "run-started" && event.event.model.from !== undefined)
      view.note("The config has changed since the last run: a new run begins, from the champion.");
    // A new source is asked for on the record of the run before, and the picture is of this one.
    if (!isOfRunBefore(event)) view.watch(event);
  };
}

function isOfRunBefore(seen: StoredEvent | Progress): boolean {
  if (!("event" in seen)) return false;
  const { event } = seen;
  const asked = event.type === "question-asked" || event.type === "question-answered";
  return asked && /^\d+-new-source-/.test(event.question);
}

/** A report that cannot be written takes nothing from the run; `whetstone report` writes it again. */
async function reportOf(
  folder: string,
  { run: id, events }: RunResult,
  output: Output,
): Promise<string | null> {
  if (events.length === 0) return null;
  try {
    const { path } = await writeReport(folder, { run: id });
    return path;
  } catch (error) {
    output.note(`The report could not be written: ${messageOf(error)} \`whetstone report\` tries again.`);
    return null;
  }
}

/** Why the run kept within less than the budget that it was given, or has in its config. */
function rejectedBudgetWords({ config, budget }: Asked, events: RunResult["events"]): string[] {
  const wanted = withBudget(config.definition, budget ?? {}).budget;
  const { id, text, answer: said } = rejectionOf(events, wanted) ?? {};
  if (said == null) return [];
  const why = said.why === "" ? "" : ` (${said.why})`;
  return [`A person has rejected ${id}, to ${text}${why}: giving it with --budget once more asks anew.`];
}

interface Place {
  readonly report: string | null;
  readonly where: string;
  readonly given: Budget;
  readonly config: LoadedConfig;
}

async function wordsFor(
  result: RunResult,
  place: Place,
  { output, environment }: CliContext,
): Promise<string[]> {
  const { report, where, given } = place;
  const { alreadyFinished, champion, events, outcome, reason } = result;
  const words = closingWords(tellRun(events), {
    environment,
    columns: output.columns,
    where,
    ...(report === null ? {} : { report }),
  });
  const stop = outcome === "budget-spent" ? stillSpent(events, given) : undefined;
  const more = stop === undefined ? "" : `--budget ${stop.cap}=${await raised(stop, events, place)}`;
  if (!alreadyFinished) {
    const safe = champion === null ? "No round was begun; what was done is kept." : "The champion is safe.";
    return stop === undefined ? words : [...words, `${safe} To go on, raise the budget: ${more}.`];
  }
  const finished =
    stop !== undefined
      ? `Nothing was done again: ${reason}. For more, raise it in the config or give, say, ${more}; any other change of the config starts a new run.`
      : "This run is finished, and nothing was done again. For more rounds raise budget.rounds in the config, or give --budget rounds=N; any other change to it starts a new run.";
  return [finished, ...words];
}

/**
 * As much again beside what was spent and what is kept back: what was spent may be beyond the limit. Before a round has ended
 * at least what should have room for the first.
 */
async function raised(
  { cap, limit, spent, keptBack }: SpentCap,
  events: RunResult["events"],
  { given, config: { definition, folder } }: Place,
): Promise<number> {
  const again = Math.max(limit, spent + keptBack) + limit;
  const played = events.some(({ event }) => event.type === "round-finished" && event.round > 0);
  if (played || cap !== "tokens") return twoFigures(again);
  // It is advice: what the run has come to is told whether or not it can be planned now.
  const planned = await plan(definition, { folder, budget: { ...given, tokens: again } }).catch(() => null);
  return twoFigures(Math.max(again, planned?.leastTokens ?? 0));
}

function exitCodeFor({ outcome }: RunResult): number {
  if (outcome === "interrupted") return exitCodes.interrupted;
  return outcome === "stopped-by-guard" ? exitCodes.stopped : exitCodes.done;
}
