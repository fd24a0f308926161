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
  const rows = Object.entries(kinds).flatMap(rowsOf);
  return rows.length === 0 ? [] : ["", `PARAMETERS OF ${where}`, ...columns(rows)];
}

/** Choices that would make the line too long to read stand below the default, one a line. */
const longest = 48;

function rowsOf([name, kind]: [string, ParameterKinds[string]]): (readonly [string, string])[] {
  const placeholder = placeholderOf(kind);
  const long = typeof kind === "object" && placeholder.length > longest;
  return [
    [`--${kebab(name)} ${long ? "NAME" : placeholder}`, `default ${defaultOf(kind)}`],
    ...(long ? kind.slice(1).map((choice) => ["", `or ${choice}`] as const) : []),
  ];
}

function placeholderOf(kind: ParameterKinds[string]): string {
  if (typeof kind === "number") return "NUMBER";
  return typeof kind === "string" ? "TEXT" : kind.join("|");
}

function defaultOf(kind: ParameterKinds[string]): string {
  if (typeof kind === "object") return kind[0];
  return typeof kind === "number" ? String(kind) : JSON.stringify(kind);
}
