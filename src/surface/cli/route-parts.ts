import type { BudgetChange } from "../../loop/run/budget.ts";
import { readBudget } from "./budget-flag.ts";

export interface JsonFlags {
  readonly json?: boolean;
}

export interface BudgetFlags extends JsonFlags {
  readonly budget?: BudgetChange;
}

/** Parts of the config's budget that are others for this command. */
export const budget = {
  kind: "parsed",
  parse: readBudget,
  optional: true,
  placeholder: "CAPS",
  brief: "rounds=8,tokens=2M,steps=20k,wallSeconds=2h,currency=5: in place of the config's",
} as const;

/** The flag that every command has. */
export const json = {
  kind: "boolean",
  optional: true,
  withNegated: false,
  brief: "Print JSON, one value a line, for programs",
} as const;

/** A flag with a text, which may be left out. */
export function text(placeholder: string, brief: string) {
  return {
    kind: "parsed",
    parse: (input: string): string => input,
    optional: true,
    placeholder,
    brief,
  } as const;
}

/** The one place that a command is about. */
export function folder(brief: string) {
  return {
    kind: "tuple",
    parameters: [{ brief, parse: (input: string): string => input, optional: true, placeholder: "FOLDER" }],
  } as const;
}

/** The one thing that a command cannot do without. */
export function argument(placeholder: string, brief: string) {
  return {
    kind: "tuple",
    parameters: [{ brief, parse: (input: string): string => input, placeholder }],
  } as const;
}

/** A flag with a number, which may be left out. */
export function number(
  name: string,
  placeholder: string,
  brief: string,
  { least, whole }: { readonly least: number; readonly whole: boolean },
) {
  return {
    kind: "parsed",
    parse: (input: string): number => {
      const value = input.trim() === "" ? Number.NaN : Number(input);
      if (value >= least && Number.isFinite(value) && (!whole || Number.isSafeInteger(value))) return value;
      const what = whole ? "a whole number" : "a number";
      throw new RangeError(`--${name} must be ${what} of at least ${least}, not "${input}".`);
    },
    optional: true,
    placeholder,
    brief,
  } as const;
}

/** Something that a command must be given. */
export function needed(placeholder: string, brief: string) {
  return { brief, parse: (input: string): string => input, placeholder } as const;
}

/** A flag with a text, which may be given several times. */
export function texts(placeholder: string, brief: string) {
  return {
    kind: "parsed",
    parse: (input: string): string => input,
    variadic: true,
    optional: true,
    placeholder,
    brief,
  } as const;
}
