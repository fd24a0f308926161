export interface JsonFlags {
  readonly json?: boolean;
}

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
