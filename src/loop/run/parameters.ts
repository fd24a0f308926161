import { z } from "zod";
import { nearest, readOptions, userError } from "../../foundation/base/index.ts";
import type { RunDefinition } from "../round/definition.ts";

/** What a parameter may be: its default, or a list of choices of which the first is the default. */
export type ParameterKinds = Readonly<Record<string, string | number | readonly [string, ...string[]]>>;

/** The values that the function of {@link withParameters} gets. */
export type ParameterValues<K extends ParameterKinds> = {
  readonly [N in keyof K]: K[N] extends readonly string[]
    ? K[N][number]
    : K[N] extends number
      ? number
      : string;
};

/** A run that is described up to some parameters: `whetstone run FOLDER --filter none`. */
export interface ParametrisedRun {
  readonly kinds: ParameterKinds;
  /** The run for these values, as text; throws a user error `unknown-parameter` or `invalid-parameter`. */
  define(given: Readonly<Record<string, string>>): RunDefinition;
}

const kindsSchema = z.record(
  z.string().min(1),
  z.union([z.string(), z.number(), z.tuple([z.string()], z.string()).readonly()]),
);
const defineSchema = z.custom(
  (value) => typeof value === "function",
  "expected a function as second argument",
);

const mark = Symbol.for("whetstone.parametrised-run");

/**
 * Leaves some values of a run open to whoever starts it. On the command line each is an option of `run` and `plan`; from a
 * program it is `config.define({ filter: "none" })`.
 *
 * @example
 * const config = withParameters({ filter: ["verifier", "none"], seed: 0 }, ({ filter, seed }) =>
 *   defineRun({
 *     task: reverse(),
 *     optimize: rejectionSampling({ reward: filter === "none" ? everything() : verifier() }),
 *     seed,
 *   }),
 * );
 * config.define({ filter: "none", seed: "3" }).seed; // 3
 */
export function withParameters<const K extends ParameterKinds>(
  kinds: K,
  define: (values: ParameterValues<K>) => RunDefinition,
): ParametrisedRun {
  readOptions("withParameters()", kindsSchema, kinds);
  readOptions("withParameters()", defineSchema, define);
  const run: ParametrisedRun = {
    kinds,
    define: (given) => {
      for (const name of Object.keys(given)) {
        if (Object.hasOwn(kinds, name)) continue;
        const meant = nearest(name, Object.keys(kinds));
        throw userError(
          "unknown-parameter",
          `This run has no parameter "${name}"; ${meant === undefined ? `it has ${listOf(Object.keys(kinds))}` : `did you mean "${meant}"?`}`,
          { parameter: name },
        );
      }
      const values = Object.entries(kinds).map(([name, kind]) => [name, readValue(name, kind, given[name])]);
      return define(Object.fromEntries(values) as ParameterValues<K>);
    },
  };
  Object.defineProperty(run, mark, { value: true });
  return run;
}

/** Recognises what {@link withParameters} returns. */
export function isParametrisedRun(value: unknown): value is ParametrisedRun {
  return typeof value === "object" && value !== null && (value as Record<symbol, unknown>)[mark] === true;
}

function readValue(name: string, kind: ParameterKinds[string], text: string | undefined): string | number {
  if (typeof kind === "number") {
    const value = text === undefined ? kind : Number(text);
    if (text?.trim() === "" || !Number.isFinite(value))
      throw userError("invalid-parameter", `"${name}" must be a number, not "${text}".`, { parameter: name });
    return value;
  }
  if (typeof kind === "string") return text ?? kind;
  const value = text ?? kind[0];
  if (kind.includes(value)) return value;
  const meant = nearest(value, kind);
  throw userError(
    "invalid-parameter",
    `"${name}" cannot be "${value}"; ${meant === undefined ? "it" : `did you mean "${meant}"? It`} can be ${listOf(kind)}.`,
    { parameter: name },
  );
}

function listOf(names: readonly string[]): string {
  return names.map((name) => `"${name}"`).join(", ");
}
