import { existsSync, statSync } from "node:fs";
import { relative, resolve } from "node:path";
import { userError } from "../../../foundation/base/index.ts";
import { answer } from "../answer.ts";
import type { CliContext, Environment } from "../context.ts";
import { configIn } from "../find-config.ts";
import type { Answers } from "../init/answers.ts";
import { configText } from "../init/config-text.ts";
import { readModel, readRounds, readTask } from "../init/read-answers.ts";
import { type WrittenFiles, writeFiles } from "../init/write-files.ts";
import type { JsonFlags } from "../route-parts.ts";

export interface InitFlags extends JsonFlags {
  readonly yes?: boolean;
  readonly task?: string;
  readonly model?: string;
  readonly rounds?: string;
}

const usual = { task: "reverse", model: "tiny", rounds: 5 } as const;

/** Writes a config that runs. What is not given is asked for, and with `--yes` the usual. */
export async function initCommand(this: CliContext, flags: InitFlags, where = "."): Promise<void> {
  const { output, environment } = this;
  await answer(this, flags.json, async () => {
    const folder = resolve(where);
    if (existsSync(folder) && !statSync(folder).isDirectory())
      throw userError("not-a-folder", `${where} is a file; name the folder that the config is for.`);
    const asks = !flags.yes && process.stdin.isTTY === true && process.stderr.isTTY === true;
    await permission(folder, asks);
    const answers = await answersOf(flags, folder, asks);
    const files = await writeFiles(folder, configText(answers));
    if (flags.json) output.json({ ...files, ...answers });
    else for (const line of whatNext(files, where, environment)) output.line(line);
    return 0;
  });
}

/** A config that is there is only replaced after a yes. Throws `config-exists`. */
async function permission(folder: string, asks: boolean): Promise<void> {
  const there = configIn(folder);
  if (there === undefined) return;
  const path = relative(process.cwd(), there);
  if (asks && (await (await import("../init/ask.ts")).askReplace(path))) return;
  throw userError("config-exists", `${path} is there already, and was left as it is.`, { path: there });
}

async function answersOf(flags: InitFlags, folder: string, asks: boolean): Promise<Answers> {
  const { task, model, rounds, yes } = flags;
  const given = {
    task: task === undefined ? undefined : readTask(task),
    model: model === undefined ? undefined : readModel(model, folder),
    rounds: rounds === undefined ? undefined : readRounds(rounds),
  };
  const missing = Object.entries(given).flatMap(([name, value]) =>
    value === undefined ? [`--${name}`] : [],
  );
  if (yes || missing.length === 0)
    return {
      task: given.task ?? usual.task,
      model: given.model ?? readModel(usual.model, folder),
      rounds: given.rounds ?? usual.rounds,
    };
  if (!asks)
    throw userError(
      "no-terminal",
      `There is no terminal to ask on: give ${missing.join(", ")}, or --yes for the usual.`,
    );
  const { askModel, askRounds, askTask } = await import("../init/ask.ts");
  return {
    task: given.task ?? (await askTask()),
    model: given.model ?? (await askModel(folder)),
    rounds: given.rounds ?? (await askRounds(usual.rounds)),
  };
}

function whatNext(
  { config, package: written }: WrittenFiles,
  where: string,
  environment: Environment,
): string[] {
  const { npm_command: npmCommand } = environment;
  const whetstone = npmCommand === "exec" ? "npx whetstone" : "whetstone";
  const at = where === "." ? "" : ` ${where}`;
  return [
    `Wrote ${relative(process.cwd(), config)}${written === null ? "" : ` and ${relative(process.cwd(), written)}`}.`,
    "",
    `  ${whetstone} plan${at}   what the run would do`,
    `  ${whetstone} run${at}    do it; Ctrl-C ends it, and the same command goes on`,
    ...(written === null ? [] : ["", "For the config's types in an editor: `npm install` there."]),
  ];
}
