import {
  describeSource,
  importModel,
  modelBytes,
  namedModels,
  pullModel,
  removeModel,
  type StoredModel,
  storedModels,
} from "../../../model/hub/index.ts";
import { answer } from "../answer.ts";
import { size } from "../bytes.ts";
import type { CliContext } from "../context.ts";
import { columns } from "../describe.ts";
import { interruptible } from "../interruption.ts";
import type { Output } from "../output.ts";
import type { JsonFlags } from "../route-parts.ts";

export interface ImportFlags extends JsonFlags {
  readonly name?: string;
}

/** Brings a named model here, or finds it here. */
export async function pull(this: CliContext, flags: JsonFlags, name: string): Promise<void> {
  await bring(this, flags, (options) => pullModel(name, options));
}

/** Takes a file or folder into the store. */
export async function importCommand(this: CliContext, flags: ImportFlags, path: string): Promise<void> {
  const { name } = flags;
  await bring(this, flags, (options) =>
    importModel(path, { ...options, ...(name === undefined ? {} : { name }) }),
  );
}

type Bring = (options: Parameters<typeof pullModel>[1]) => Promise<StoredModel>;

async function bring(context: CliContext, flags: JsonFlags, work: Bring): Promise<void> {
  const { output, environment } = context;
  await answer(context, flags.json, async () => {
    using interruption = interruptible({ say: output.note });
    const model = await work({
      environment,
      signal: interruption.signal,
      ...(flags.json ? {} : { onProgress: narrate(output) }),
    });
    if (flags.json) output.json({ ...model, bytes: await modelBytes(model) });
    else
      output.line(
        `${model.name} is here: ${count(model.parameters)} parameters, ${size(await modelBytes(model))}, ` +
          `licence ${model.licence ?? "not stated"}.\nA config names it: model: "${model.name}".`,
      );
    return 0;
  });
}

/** All models of the store, and those that could be pulled. */
export async function list(this: CliContext, flags: JsonFlags): Promise<void> {
  const { output, environment } = this;
  await answer(this, flags.json, async () => {
    const stored = await Promise.all(
      storedModels({ environment }).map(async (model) => ({
        ...model,
        state: "here" as const,
        bytes: await modelBytes(model),
      })),
    );
    const missing = namedModels
      .filter(({ name }) => !stored.some((model) => model.name === name))
      .map(({ name, parameters, licence, repository }) => ({
        ...{ name, state: "not here" as const, parameters, licence, repository },
      }));
    if (flags.json) output.json({ models: [...stored, ...missing] });
    else
      for (const line of columns([
        ...stored.map(
          (model) =>
            [
              model.name,
              `${count(model.parameters)} parameters, ${size(model.bytes)}, licence ${model.licence ?? "not stated"}, from ${describeSource(model.source)}`,
            ] as const,
        ),
        ...missing.map(
          ({ name, parameters, licence }) =>
            [
              name,
              `${count(parameters)} parameters, licence ${licence}; not here yet: \`whetstone model pull ${name}\``,
            ] as const,
        ),
      ]))
        output.line(line.trimStart());
    return 0;
  });
}

export async function remove(this: CliContext, flags: JsonFlags, name: string): Promise<void> {
  const { output, environment } = this;
  await answer(this, flags.json, async () => {
    const { bytes } = await removeModel(name, { environment });
    if (flags.json) output.json({ name, bytes });
    else output.line(`${name} is removed; ${size(bytes)} are free again.`);
    return 0;
  });
}

function count(parameters: number): string {
  if (parameters < 1e6) return parameters.toLocaleString("en-US");
  return parameters < 1e9
    ? `${(parameters / 1e6).toFixed(1)} million`
    : `${(parameters / 1e9).toFixed(1)} billion`;
}

/** One lasting line for each thing that is done, and on a terminal how far it is. */
function narrate({ note, passing }: Output): (label: string, done: number, total: number) => void {
  let said = "";
  return (label, done, total) => {
    if (label !== said) note(label);
    said = label;
    if (total > 1) passing(`${label}: ${Math.floor((100 * done) / total)} %`);
  };
}
