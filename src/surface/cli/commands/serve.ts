import { resolve } from "node:path";
import { userError } from "../../../foundation/base/index.ts";
import type { Precision } from "../../../foundation/contract/index.ts";
import type { EngineDefinition, EngineProgress } from "../../../model/engine/index.ts";
import { local } from "../../../model/engine/local/index.ts";
import { checkAddress, makeStateFolder, serveTinker } from "../../../model/engine/serve/index.ts";
import { tabular } from "../../../model/engine/tabular/index.ts";
import { answer } from "../answer.ts";
import { chosen } from "../chosen.ts";
import type { CliContext } from "../context.ts";
import { exitCodes } from "../exit-codes.ts";
import { interruptible } from "../interruption.ts";
import { modelFolder, nameAndFolder } from "../named-folder.ts";
import type { JsonFlags } from "../route-parts.ts";

export interface ServeFlags extends JsonFlags {
  readonly model?: readonly string[];
  readonly port?: number;
  readonly key?: string;
  readonly host?: string;
  readonly engine?: string;
  readonly precision?: string;
  readonly state?: string;
}

const engines: Readonly<Record<string, () => EngineDefinition>> = { local, tabular };
const precisions: readonly Precision[] = ["fp32", "mixed", "bf16"];

/** Serves until Ctrl-C or SIGTERM, which is how it ends well. */
export async function serveCommand(this: CliContext, flags: ServeFlags): Promise<void> {
  const { output } = this;
  await answer(this, flags.json, async () => {
    const asked = modelsOf(flags.model ?? []);
    const name = chosen("--engine", flags.engine ?? "local", Object.keys(engines));
    const precision = chosen("--precision", flags.precision ?? "fp32", precisions);
    const stateFolder = resolve(flags.state ?? ".whetstone/serve");
    const { key, host, port = 8000 } = flags;
    if (key === "")
      throw userError(
        "invalid-option",
        "--key is empty, as the value of a variable is that is not set: give a key, or leave --key out for none.",
      );
    if (port > 65_535)
      throw userError("invalid-option", `--port cannot be ${port}: ports go from 0, any free one, to 65535.`);
    using interruption = interruptible({ say: output.note, words: "Closing. Ctrl-C again ends at once." });
    const { signal } = interruption;
    const definition = (engines[name] as () => EngineDefinition)();
    let serving = false;
    // What workers do later on is nobody's wait.
    const onProgress: EngineProgress = (label, done, total) => {
      if (!serving) output.passing(`[${done}/${total}] ${label}`);
    };
    const into = resolve(stateFolder, "adapters");
    const models: Record<string, string> = {};
    await checkAddress({ port, ...(host === undefined ? {} : { host }) });
    await makeStateFolder(stateFolder);
    for (const [called, folder] of Object.entries(asked))
      models[called] = await modelFolder(folder, into, { onProgress, signal });
    await using engine = await definition.open({
      logFolder: resolve(stateFolder, "logs"),
      signal,
      onProgress,
    });
    await using server = await serveTinker({
      engine,
      models,
      stateFolder,
      port,
      precision,
      ...(key === undefined ? {} : { key }),
      ...(host === undefined ? {} : { host }),
      onFault: (error) =>
        output.note(error instanceof Error ? (error.stack ?? error.message) : String(error)),
    });
    const names = Object.keys(models);
    serving = true;
    if (flags.json) output.json({ type: "serving", url: server.url, models: names, engine: name, precision });
    else {
      output.line(`Serving ${names.join(", ")} at ${server.url}, with the ${name} engine. Ctrl-C ends.`);
      if (key !== undefined && !key.startsWith("tml-"))
        output.note("The Python SDK takes only keys that begin with tml-; this one is for other clients.");
    }
    if (!signal.aborted) await new Promise((end) => signal.addEventListener("abort", end, { once: true }));
    return exitCodes.done;
  });
}

function modelsOf(given: readonly string[]): Record<string, string> {
  if (given.length === 0)
    throw userError("invalid-option", "--model is missing: --model NAME=FOLDER says what is served.");
  const models: Record<string, string> = {};
  for (const one of given) {
    const [name, folder = ""] = nameAndFolder(one);
    if (name === "" || folder === "")
      throw userError(
        "invalid-option",
        `--model must be NAME=FOLDER, such as org/tiny=models/tiny, not "${one}".`,
      );
    if (Object.hasOwn(models, name)) throw userError("invalid-option", `--model names "${name}" twice.`);
    models[name] = folder;
  }
  return models;
}
