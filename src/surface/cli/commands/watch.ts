import { systemClock } from "../../../foundation/base/index.ts";
import type { StoredEvent } from "../../../foundation/contract/index.ts";
import { followRun, noRun, type Question } from "../../../loop/run.ts";
import {
  closingWords,
  openIn,
  questionWords,
  type RunStory,
  type Standing,
  standingWords,
  type TerminalView,
  tellRun,
  terminalView,
} from "../../report/index.ts";
import { answer } from "../answer.ts";
import type { CliContext } from "../context.ts";
import { exitCodes } from "../exit-codes.ts";
import { interruptible } from "../interruption.ts";
import { projectFolder } from "../project-folder.ts";
import type { JsonFlags } from "../route-parts.ts";

/** The live view of a run that goes on in another process. Ends with it; Ctrl-C ends only the watching. */
export async function watchCommand(this: CliContext, flags: JsonFlags, where = "."): Promise<void> {
  const { output, environment } = this;
  await answer(this, flags.json, async () => {
    using interruption = interruptible({ say: () => {} });
    const { signal } = interruption;
    const folder = projectFolder(where);
    const events = flags.json
      ? await streamed(this, folder, signal)
      : await drawn(this, { folder, where, signal });
    if (events.length === 0 && !signal.aborted) throw noRun();
    if (signal.aborted) {
      if (!flags.json) output.note("No longer watched; the run goes on.");
      return exitCodes.interrupted;
    }
    const story = tellRun(events);
    const { run, state, reason, champion } = story;
    const ended = state === "running" || state === "empty" ? "died" : state;
    if (flags.json) output.json({ type: "end", run, state: ended, reason, champion });
    else {
      for (const line of closingWords(story, { environment, columns: output.columns, where }))
        output.line(line);
      if (ended === "died")
        output.line("Its process ended without a word, and nobody runs here now: `whetstone run` goes on.");
    }
    return exitCodeFor(ended);
  });
}

async function streamed(
  { output }: CliContext,
  folder: string,
  signal: AbortSignal,
): Promise<readonly StoredEvent[]> {
  let all: StoredEvent[] = [];
  let followed = "";
  for await (const { run, events } of followRun({ folder, signal })) {
    for (const event of events) output.json(event);
    all = run === followed ? [...all, ...events] : [...events];
    followed = run;
  }
  return all;
}

/** A view shows one run: where an edited config begins another, another view follows. */
async function drawn(
  { environment }: CliContext,
  {
    folder,
    where,
    signal,
  }: { readonly folder: string; readonly where: string; readonly signal: AbortSignal },
): Promise<readonly StoredEvent[]> {
  let all: StoredEvent[] = [];
  let followed = "";
  let view: TerminalView | undefined;
  try {
    for await (const { run, events, parts, progress, running } of followRun({ folder, signal })) {
      if (run === followed) {
        for (const event of events) view?.watch(event);
        all.push(...events);
        const asked = new Set(events.map(({ event }) => event.type === "question-asked" && event.question));
        sayQuestions(
          view,
          openIn(tellRun(all)).filter(({ id }) => asked.has(id)),
          where,
        );
        showStage(view, all, { parts, progress });
        continue;
      }
      view?.[Symbol.dispose]();
      followed = run;
      all = [...events];
      // Nobody runs: what it has come to is told in words.
      if (!running) continue;
      view = terminalView({ stream: process.stdout, environment, clock: systemClock });
      view.note(`Watching ${run}; Ctrl-C ends the watching, not the run.`);
      view.recall(events);
      const standing = standingWords(tellRun(all), { parts, progress }, systemClock.now());
      if (standing !== undefined) view.note(standing);
      sayQuestions(view, openIn(tellRun(all)), where);
      showStage(view, all, { parts, progress });
    }
  } finally {
    view?.[Symbol.dispose]();
  }
  return all;
}

function sayQuestions(view: TerminalView | undefined, questions: readonly Question[], where: string): void {
  for (const question of questions) for (const line of questionWords(question, where)) view?.note(line);
}

/** How far the stage is goes where a run that is at work here would show it. */
function showStage(
  view: TerminalView | undefined,
  events: readonly StoredEvent[],
  { parts, progress }: Standing,
): void {
  if (progress !== null) {
    view?.watch(progress);
    return;
  }
  const open = tellRun(events).current;
  if (open !== null && parts.length > 0)
    view?.watch({ type: "progress", stage: open.stage, label: parts.join(", "), done: 0, total: 0 });
}

function exitCodeFor(state: RunStory["state"] | "died"): number {
  if (state === "finished" || state === "budget-spent") return exitCodes.done;
  return state === "stopped-by-guard" ? exitCodes.stopped : exitCodes.interrupted;
}
