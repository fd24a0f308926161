import { systemClock } from "../../../foundation/base/index.ts";
import type { Watcher } from "../../../foundation/contract/index.ts";
import { run } from "../../../loop/run.ts";
import { closingWords, tellRun, terminalView } from "../../report/index.ts";
import { exitCodes } from "../exit-codes.ts";
import { loadConfig } from "../load-config.ts";
import { answer, processOutput } from "../output.ts";
import { writeReport } from "../write-report.ts";

export interface RunFlags {
  readonly json: boolean;
}

/** Runs or goes on with the run of a folder. With `--json`: one stored event a line, the result at the end. */
export default async function runCommand(flags: RunFlags, where = "."): Promise<void> {
  const output = processOutput();
  await answer(output, flags.json, async () => {
    const { definition, folder } = await loadConfig(where);
    using interruption = interruptible((text) => output.note(text));
    using view = flags.json
      ? undefined
      : terminalView({ stream: process.stdout, environment: process.env, clock: systemClock });
    const watch: Watcher = (event) => {
      if (view !== undefined) view.watch(event);
      else if (event.type !== "progress") output.json(event);
    };
    const result = await run(definition, { folder, watch, signal: interruption.signal });
    const path = await writeReport(folder, result.run);
    view?.[Symbol.dispose]();
    const { events, ...summary } = result;
    if (flags.json) output.json({ type: "result", ...summary, report: path });
    else {
      if (result.alreadyFinished)
        output.line("This run is finished; nothing was done again. For more rounds, raise budget.rounds in the config.");
      for (const line of closingWords(tellRun(events), { report: path })) output.line(line);
    }
    if (result.outcome === "interrupted") return exitCodes.interrupted;
    return result.outcome === "stopped-by-guard" ? exitCodes.stopped : exitCodes.done;
  });
}

/** Once: end at the next safe point. Twice: end at once; the ledger is whole all the same. */
function interruptible(note: (text: string) => void): { readonly signal: AbortSignal } & Disposable {
  const controller = new AbortController();
  const interrupt = (): void => {
    if (controller.signal.aborted) process.exit(exitCodes.interrupted);
    controller.abort();
    note("\nEnding at the next safe point; press Ctrl-C again to end at once. Nothing is lost either way.");
  };
  process.on("SIGINT", interrupt);
  process.on("SIGTERM", interrupt);
  return {
    signal: controller.signal,
    [Symbol.dispose]() {
      process.off("SIGINT", interrupt);
      process.off("SIGTERM", interrupt);
    },
  };
}
