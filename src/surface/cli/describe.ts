/** A command's words for `--help`: what it does, and lines that can be typed as they stand. */
export interface Described {
  readonly text: string;
  readonly examples: readonly (readonly [line: string, what: string])[];
}

/** The long description that `--help` prints. */
export function describe({ text, examples }: Described): string {
  return [text, "", "EXAMPLES", ...columns(examples)].join("\n");
}

/** Rows of two columns, indented. */
export function columns(rows: readonly (readonly [string | number, string])[]): string[] {
  const width = Math.max(...rows.map(([left]) => String(left).length));
  return rows.map(([left, right]) => `  ${String(left).padEnd(width)}  ${right}`);
}
