import { nearest, userError, type WhetstoneError } from "../../foundation/base/index.ts";

/** Parameters of a run by name, as they were written; undefined where no value follows. */
export type GivenParameters = ReadonlyMap<string, string | undefined>;

/** Flags of the commands that take a run's parameters. */
export const runFlags = ["json", "budget", "help"] as const;

export interface SplitInputs {
  /** What is left for the command itself. */
  readonly inputs: readonly string[];
  readonly parameters: GivenParameters;
}

/**
 * Takes `--name value` and `--name=value` out of a command line where the name is no flag of the command: only the config
 * knows which parameters it has. What follows a bare `--` is left alone. Throws a user error `invalid-parameter`.
 */
export function splitInputs(
  commandLine: readonly string[],
  flags: readonly string[] = runFlags,
): SplitInputs {
  const inputs: string[] = [];
  const parameters = new Map<string, string | undefined>();
  const waiting = [...commandLine];
  for (let input = waiting.shift(); input !== undefined; input = waiting.shift()) {
    if (input === "--") {
      inputs.push(input, ...waiting.splice(0));
      continue;
    }
    const [, name, written] = /^--([^=]+)(?:=(.*))?$/s.exec(input) ?? [];
    if (name === undefined || flags.includes(name)) {
      inputs.push(input);
      continue;
    }
    if (parameters.has(name))
      throw userError("invalid-parameter", `--${name} is given twice.`, { parameter: name });
    parameters.set(name, written ?? (isValue(waiting[0]) ? waiting.shift() : undefined));
  }
  return { inputs, parameters };
}

/** A number below zero is a value, though it begins like a flag. */
function isValue(input: string | undefined): boolean {
  return input !== undefined && (!input.startsWith("-") || /^-\.?\d/.test(input));
}

/**
 * The values for a run's parameters, under the names that it gave them: `--learning-rate` is `learningRate` too. Throws user
 * errors `unknown-flag` and `invalid-parameter`.
 */
export function valuesFor(given: GivenParameters, known: readonly string[]): Record<string, string> {
  const values: Record<string, string> = {};
  for (const [name, value] of given) {
    const meant = known.find((one) => one === name || kebab(one) === name);
    if (meant === undefined) throw unknownFlag(name, known.map(kebab));
    if (value === undefined)
      throw userError("invalid-parameter", `--${name} needs a value: --${name} VALUE.`, { parameter: name });
    values[meant] = value;
  }
  return values;
}

/** Throws a user error `unknown-flag` for the first parameter of a run that takes none. */
export function refuseAll(given: GivenParameters): void {
  for (const name of given.keys()) throw unknownFlag(name, []);
}

export function unknownFlag(name: string, parameters: readonly string[]): WhetstoneError {
  const known = [...parameters, ...runFlags];
  const meant = nearest(name, known);
  const listed = known.map((one) => `--${one}`).join(", ");
  const hint = meant === undefined ? `this run takes ${listed}.` : `did you mean --${meant}?`;
  return userError("unknown-flag", `There is no flag --${name}; ${hint}`, { flag: name });
}

export function kebab(name: string): string {
  return name.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`);
}
