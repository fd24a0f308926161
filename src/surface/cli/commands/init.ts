import { existsSync, statSync } from "node:fs";
import { relative, resolve } from "node:path";
import { userError } from "../../../foundation/base/index.ts";
import { answer } from "../answer.ts";
import type { CliContext, Environment } from "../context.ts";
import { configIn } from "../find-config.ts";
import type { Answers } from "../init/answers.ts";
import { configText } from "../init/config-text.ts";
import { type DataAnswers, type DataFound, findData } from "../init/data-answers.ts";
import { dataConfigText } from "../init/data-config.ts";
import { dataLines, dataRecord } from "../init/data-lines.ts";
import { readModel, readRounds, readTask } from "../init/read-answers.ts";
import { type WrittenFiles, writeFiles } from "../init/write-files.ts";
import type { JsonFlags } from "../route-parts.ts";

export interface InitFlags extends JsonFlags {
  readonly yes?: boolean;
  readonly task?: string;
  readonly data?: string;
  readonly promptColumn?: string;
  readonly answerColumn?: string;
  readonly skip?: boolean;
  readonly model?: string;
  readonly rounds?: string;
}

const usual = { task: "reverse", model: "tiny", dataModel: "smollm2-135m", rounds: 5 } as const;

/** What is written, and what is said of it. */
interface Written {
  readonly config: string;
  /** For programs. */
  readonly record: Readonly<Record<string, unknown>>;
  /** For people. */
  readonly lines: readonly string[];
}

/** Writes a config that runs. What is not given is asked for, and with `--yes` the usual. */
export async function initCommand(this: CliContext, flags: InitFlags, where = "."): Promise<void> {
  const { output, environment } = this;
  await answer(this, flags.json, async () => {
    const folder = resolve(where);
    if (existsSync(folder) && !statSync(folder).isDirectory())
      throw userError("not-a-folder", `${where} is a file; name the folder that the config is for.`);
    const asks = !flags.yes && process.stdin.isTTY === true && process.stderr.isTTY === true;
    const data = flags.data === undefined ? undefined : await dataOf(flags, flags.data, folder);
    await permission(folder, asks);
    const { config, record, lines } =
      data === undefined
        ? await taskConfig(flags, folder, asks)
        : await dataConfig(flags, data, folder, asks);
    const files = await writeFiles(folder, config);
    if (flags.json) output.json({ ...files, ...record });
    else for (const line of [...lines, ...whatNext(files, where, environment)]) output.line(line);
    return 0;
  });
}

/** A config that is there is only replaced after a yes. Throws `config-exists`. */
async function permission(folder: string, asks: boolean): Promise<void> {
  const there = configIn(folder);
  if (there === undefined) return;
  const path = relative(process.cwd(), there);
  if (asks && (await (await import("../init/ask.ts")).askReplace(path))) return;
  throw userError(
    "config-exists",
    `${path} is there already, and was left as it is. For another one remove that file first, or move it away.`,
    { path: there },
  );
}

async function taskConfig(flags: InitFlags, folder: string, asks: boolean): Promise<Written> {
  refuseFileFlags(flags);
  const given = {
    task: flags.task === undefined ? undefined : readTask(flags.task),
    model: flags.model === undefined ? undefined : readModel(flags.model, folder),
    rounds: flags.rounds === undefined ? undefined : readRounds(flags.rounds),
  };
  const asking = await asker(given, flags.yes, asks);
  const answers: Answers = {
    task: given.task ?? (await asking?.askTask()) ?? usual.task,
    model: given.model ?? (await asking?.askModel(folder, usual.model)) ?? readModel(usual.model, folder),
    rounds: given.rounds ?? (await asking?.askRounds(usual.rounds)) ?? usual.rounds,
  };
  return { config: configText(answers), record: { ...answers }, lines: [] };
}

/** What is said of a file needs one. Throws a user error `invalid-option`. */
function refuseFileFlags({ skip, promptColumn, answerColumn }: InitFlags): void {
  const given = (
    [
      [skip, "--skip leaves out wrong rows"],
      [promptColumn, "--prompt-column names a column"],
      [answerColumn, "--answer-column names a column"],
    ] as const
  ).find(([flag]) => flag !== undefined);
  if (given !== undefined)
    throw userError("invalid-option", `${given[1]} of a file: name the file with --data.`);
}

/** The file is read before anything is asked. */
async function dataOf(flags: InitFlags, file: string, folder: string): Promise<DataFound> {
  if (flags.task !== undefined)
    throw userError("invalid-option", "--data and --task exclude each other: the file's rows are the task.");
  const { skip = false, promptColumn: prompt, answerColumn: answer } = flags;
  return await findData({
    file,
    folder,
    skip,
    columns: { ...(prompt === undefined ? {} : { prompt }), ...(answer === undefined ? {} : { answer }) },
  });
}

async function dataConfig(
  flags: InitFlags,
  data: DataFound,
  folder: string,
  asks: boolean,
): Promise<Written> {
  const given = {
    model: flags.model === undefined ? undefined : readModel(flags.model, folder),
    rounds: flags.rounds === undefined ? undefined : readRounds(flags.rounds),
  };
  const asking = await asker(given, flags.yes, asks);
  const answers: DataAnswers = {
    data,
    model:
      given.model ?? (await asking?.askModel(folder, usual.dataModel)) ?? readModel(usual.dataModel, folder),
    rounds: given.rounds ?? (await asking?.askRounds(usual.rounds)) ?? usual.rounds,
  };
  return { config: dataConfigText(answers), record: dataRecord(answers), lines: [...dataLines(answers), ""] };
}

/** Asks for what is not given; undefined where nothing is to be asked. Throws `no-terminal`. */
async function asker(given: Readonly<Record<string, unknown>>, yes: boolean | undefined, asks: boolean) {
  const missing = Object.entries(given).flatMap(([name, value]) =>
    value === undefined ? [`--${name}`] : [],
  );
  if (yes || missing.length === 0) return undefined;
  if (asks) return await import("../init/ask.ts");
  throw userError(
    "no-terminal",
    `There is no terminal to ask on: give ${missing.join(", ")}, or --yes for the usual.`,
  );
}

/** A version that npm does not have would only break `npm install`. */
function typesFrom(dependency: string | null): string {
  return dependency === null
    ? "`npm install PATH` there, with the file that this whetstone was installed from; it is not npm's, so package.json does not name it."
    : "`npm install` there.";
}

function whatNext(
  { config, package: written, dependency }: WrittenFiles,
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
    ...(written === null ? [] : ["", `For the config's types in an editor: ${typesFrom(dependency)}`]),
  ];
}
