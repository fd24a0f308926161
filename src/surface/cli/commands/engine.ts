import { engineStatus, installEngine, removeEngine } from "../../../model/engine/local/index.ts";
import { answer, type Output, processOutput } from "../output.ts";

export interface EngineFlags {
  readonly json: boolean;
}

const megabytes = (bytes: number): string => `${Math.round(bytes / 1e6)} MB`;

/** Creates the engine's Python environment, or finds it whole. */
export async function install(flags: EngineFlags): Promise<void> {
  const output = processOutput();
  await answer(output, flags.json, async () => {
    const installed = await installEngine({ onProgress: flags.json ? () => {} : narrate(output) });
    if (flags.json) output.json(installed);
    else output.line("The engine is installed.");
    return 0;
  });
}

export async function status(flags: EngineFlags): Promise<void> {
  const output = processOutput();
  await answer(output, flags.json, async () => {
    const found = await engineStatus();
    if (flags.json) output.json(found);
    else
      for (const [name, value] of Object.entries(found))
        output.line(`${name.padEnd(12)} ${name === "bytes" ? megabytes(Number(value)) : typeof value === "object" ? JSON.stringify(value) : String(value)}`);
    return 0;
  });
}

export async function remove(flags: EngineFlags): Promise<void> {
  const output = processOutput();
  await answer(output, flags.json, async () => {
    const { bytes } = await removeEngine();
    if (flags.json) output.json({ bytes });
    else output.line(bytes === 0 ? "There was no engine to remove." : `Removed; ${megabytes(bytes)} are free again.`);
    return 0;
  });
}

/** One line for each thing that is done, not one for each package of it. */
function narrate(output: Output): (label: string, done: number, total: number) => void {
  let said = "";
  return (label, done, total) => {
    const line = `[${done}/${total}] ${label}`;
    if (line !== said) output.note(line);
    said = line;
  };
}
