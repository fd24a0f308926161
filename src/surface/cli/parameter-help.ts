import type { ParameterKinds } from "../../loop/run.ts";
import { columns } from "./describe.ts";
import { kebab } from "./given-parameters.ts";

/** What `whetstone run FOLDER --help` says beside the command's own help: the parameters of that config. */
export async function parameterHelp([, ...inputs]: readonly string[]): Promise<readonly string[]> {
  if (!inputs.some((input) => input === "--help" || input === "-h")) return [];
  const where = inputs.find((input) => !input.startsWith("-"));
  if (where === undefined) return [];
  const { parametersOf } = await import("./load-config.ts");
  // A config that cannot be loaded is told of when it is run.
  const kinds = await parametersOf(where).catch((): ParameterKinds => ({}));
  const rows = Object.entries(kinds).map(
    ([name, kind]) => [`--${kebab(name)} ${placeholderOf(kind)}`, `default ${defaultOf(kind)}`] as const,
  );
  return rows.length === 0 ? [] : ["", `PARAMETERS OF ${where}`, ...columns(rows)];
}

function placeholderOf(kind: ParameterKinds[string]): string {
  if (typeof kind === "number") return "NUMBER";
  return typeof kind === "string" ? "TEXT" : kind.join("|");
}

function defaultOf(kind: ParameterKinds[string]): string {
  if (typeof kind === "object") return kind[0];
  return typeof kind === "number" ? String(kind) : JSON.stringify(kind);
}
