import { buildApplication, ExitCode, help, run, type StricliProcess, version } from "@stricli/core";
import { nearest, userError } from "../../foundation/base/index.ts";
import { packageVersion } from "../../loop/run/version.ts";
import { answer } from "./answer.ts";
import type { CliContext, Environment } from "./context.ts";
import { runFlags, splitInputs } from "./given-parameters.ts";
import { outputTo, type TextStream } from "./output.ts";
import { parameterHelp } from "./parameter-help.ts";
import { routes } from "./routes.ts";
import { texts } from "./texts.ts";

const formatting = {
  caseStyle: "convert-camel-to-kebab",
  useAliasInUsageLine: false,
  onlyRequiredInUsageLine: false,
} as const;

const app = buildApplication(
  routes,
  {
    name: "whetstone",
    scanner: { caseStyle: "allow-kebab-for-camel", allowArgumentEscapeSequence: true },
    localization: { text: texts },
  },
  {
    help: help({ brief: texts.briefs.help, formatting, defaultForRouteMap: true }),
    version: version({ brief: texts.briefs.version, info: { currentVersion: packageVersion } }),
  },
);

/** Commands whose config may have parameters, with the flags that are their own. */
const parametrised: Readonly<Record<string, readonly string[]>> = {
  run: runFlags,
  plan: runFlags,
  certificate: [...runFlags, "replay", "public-key", "publicKey", "folder", "weights"],
  compare: [...runFlags, "items", "harness-a", "harness-b", "harnessA", "harnessB"],
};

/** A certificate needs the config of its run only to be measured again. */
function isParametrised(commandLine: readonly string[]): boolean {
  const [command = ""] = commandLine;
  if (command === "certificate") return commandLine.includes("--replay");
  return Object.hasOwn(parametrised, command);
}

/** A group that does something by itself takes a mistyped command of its own for an argument. */
function subcommandMeant([group = "", word = ""]: readonly string[]): string | undefined {
  const target = routes.getAllEntries().find(({ name }) => name.original === group)?.target;
  if (target === undefined || !("getAllEntries" in target)) return undefined;
  const names = target.getAllEntries().map(({ name }) => name.original);
  const meant = names.includes(word) ? undefined : nearest(word, names);
  return meant && `There is no command ${group} ${word}; did you mean \`${meant}\`?`;
}

export interface CliOptions {
  readonly commandLine: readonly string[];
  readonly standard: TextStream;
  readonly error: TextStream;
  readonly environment: Environment;
}

/** Does what a command line says, and returns the exit code. */
export async function runCli({ commandLine, standard, error, environment }: CliOptions): Promise<number> {
  const [first, ...rest] = commandLine;
  const asked = first === "help" ? [...rest, "--help"] : commandLine;
  const output = outputTo(standard, error, environment);
  const complaints: string[] = [];
  const getColorDepth = standard.getColorDepth?.bind(standard);
  const process: StricliProcess = {
    stdout: {
      write: (text) => output.line(text.replace(/\n$/, "")),
      ...(getColorDepth ? { getColorDepth } : {}),
    },
    // Commands have their own way to speak; this is what is said of a command line that cannot be read.
    stderr: { write: (text) => void complaints.push(text.trim()) },
    env: environment as Record<string, string>,
  };
  const context: CliContext = { process, output, environment, parameters: new Map() };
  await answer(context, asked.includes("--json"), async () => {
    const flags = isParametrised(asked) ? parametrised[asked[0] ?? ""] : undefined;
    const split = flags === undefined ? { inputs: asked, parameters: new Map() } : splitInputs(asked, flags);
    await run(app, split.inputs, { ...context, parameters: split.parameters });
    if (flags === runFlags) for (const line of await parameterHelp(split.inputs)) output.line(line);
    const code = Number(process.exitCode);
    if (complaints.length === 0) return code;
    const unreadable = code === ExitCode.InvalidArgument || code === ExitCode.UnknownCommand;
    const meant = code === ExitCode.InvalidArgument ? subcommandMeant(split.inputs) : undefined;
    if (meant !== undefined) complaints.splice(0, complaints.length, meant);
    throw unreadable
      ? userError("invalid-command-line", complaints.join(" "))
      : new Error(complaints.join("\n"));
  });
  return Number(process.exitCode);
}
