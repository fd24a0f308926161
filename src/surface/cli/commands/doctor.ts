import { cacheFolder } from "../../../model/engine/local/index.ts";
import { answer } from "../answer.ts";
import type { CliContext, Environment } from "../context.ts";
import type { Check } from "../doctor/check.ts";
import { engineChecks } from "../doctor/engine.ts";
import { ledgerCheck, sqliteCheck } from "../doctor/ledger.ts";
import { coresCheck, memoryCheck, nodeCheck, roomCheck, writableCheck } from "../doctor/machine.ts";
import { terminalCheck } from "../doctor/terminal.ts";
import { exitCodes } from "../exit-codes.ts";
import { projectFolder } from "../project-folder.ts";
import type { JsonFlags } from "../route-parts.ts";

/** Looks at all that a run needs. Exit code 2 when something fails. */
export async function doctorCommand(this: CliContext, flags: JsonFlags, where = "."): Promise<void> {
  const { output, environment } = this;
  await answer(this, flags.json, async () => {
    const checks = await allChecks(projectFolder(where), environment);
    const failed = checks.filter(({ state }) => state === "fail").length;
    if (flags.json) output.json({ ready: failed === 0, checks });
    else {
      for (const check of checks) for (const line of linesOf(check)) output.line(line);
      output.line();
      output.line(failed === 0 ? "Ready." : `Not ready: ${failed} of ${checks.length} checks failed.`);
    }
    return failed === 0 ? exitCodes.done : exitCodes.machine;
  });
}

async function allChecks(folder: string, environment: Environment): Promise<readonly Check[]> {
  const cache = cacheFolder(environment);
  const engine = await engineChecks(environment);
  const installed = engine.some(({ name, state }) => name === "engine" && state === "ok");
  return [
    nodeCheck(),
    ...engine,
    coresCheck(),
    memoryCheck(),
    await writableCheck("cache", cache, "Set WHETSTONE_CACHE to a folder that can be written."),
    // What is installed needs no more room.
    ...(installed
      ? []
      : [
          await roomCheck("cache room", cache, {
            least: 1.6e9,
            easy: 3e9,
            what: "The engine takes about 1.5 GB",
          }),
        ]),
    await writableCheck("folder", folder, "Runs record here: use a folder that is yours."),
    await roomCheck("folder room", folder, {
      least: 1e8,
      easy: 1e9,
      what: "A run of a small model keeps some 50 MB of checkpoints, larger ones more (`whetstone plan` says)",
    }),
    await sqliteCheck(folder),
    ledgerCheck(folder),
    terminalCheck(process.stdout, environment),
  ];
}

function linesOf({ name, state, found, advice }: Check): string[] {
  const head = `${state.padEnd(4)}  ${name.padEnd(11)}  ${found}`;
  return advice === undefined ? [head] : [head, `${" ".repeat(19)}${advice}`];
}
