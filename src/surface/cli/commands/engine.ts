import {
  engineStatus,
  installEngine,
  installPlainPackages,
  type OtherEnvironment,
  removeEngine,
} from "../../../model/engine/local/index.ts";
import { answer } from "../answer.ts";
import type { CliContext } from "../context.ts";
import { columns } from "../describe.ts";
import { interruptible } from "../interruption.ts";
import type { Output } from "../output.ts";
import type { JsonFlags } from "../route-parts.ts";

const megabytes = (bytes: number): string => `${Math.round(bytes / 1e6).toLocaleString("en-US")} MB`;

export interface InstallFlags extends JsonFlags {
  readonly transformers?: boolean;
}

/** Creates the engine's Python environment, or finds it whole. */
export async function install(this: CliContext, flags: InstallFlags): Promise<void> {
  const { output, environment } = this;
  await answer(this, flags.json, async () => {
    using interruption = interruptible({ say: output.note });
    const options = {
      environment,
      signal: interruption.signal,
      onProgress: flags.json ? () => {} : narrate(output),
    };
    const installed = await installEngine(options);
    const packages =
      flags.transformers === true ? { packages: await installPlainPackages(installed, options) } : {};
    if (flags.json) output.json({ ...installed, ...packages });
    else output.line(`The engine is installed in ${installed.folder}.`);
    return 0;
  });
}

export async function status(this: CliContext, flags: JsonFlags): Promise<void> {
  const { output, environment } = this;
  await answer(this, flags.json, async () => {
    const found = await engineStatus({ environment });
    if (flags.json) {
      output.json(found);
      return 0;
    }
    const rows = [
      [
        "state",
        found.state === "installed"
          ? "installed"
          : `missing for Python ${found.base.version}; \`whetstone engine install\` installs it`,
      ],
      ["folder", found.folder],
      ["python", `${found.base.version} (${found.base.path})`],
      ["takes", megabytes(found.bytes)],
      ...Object.entries(found.versions),
      ...found.others.map((other) => ["not used", otherWords(other)] as const),
    ] as const;
    for (const line of columns(rows)) output.line(line.trimStart());
    return 0;
  });
}

/** Why it is not used, and what would use it. */
function otherWords({ folder, base: { version, path }, fits }: OtherEnvironment): string {
  const made = `${folder}, made by Python ${version} (${path})`;
  return fits ? `${made}: WHETSTONE_PYTHON=${path} uses it` : `${made} for other packages`;
}

export async function remove(this: CliContext, flags: JsonFlags): Promise<void> {
  const { output, environment } = this;
  await answer(this, flags.json, async () => {
    const { bytes } = await removeEngine({ environment });
    if (flags.json) output.json({ bytes });
    else
      output.line(
        bytes === 0 ? "There was no engine to remove." : `Removed; ${megabytes(bytes)} are free again.`,
      );
    return 0;
  });
}

/** One lasting line for each thing that is done, and on a terminal what passes meanwhile. */
function narrate({ note, passing }: Output): (label: string, done: number, total: number) => void {
  let said = "";
  return (label, done, total) => {
    // What it is at, and for how long, stands behind the dot.
    const [name = ""] = label.split(" · ");
    if (name !== said) note(`[${done}/${total}] ${name}`);
    else passing(`[${done}/${total}] ${label}`);
    said = name;
  };
}
