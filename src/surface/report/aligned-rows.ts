import { displayWidth, padEnd, padStart } from "./terminal/display-width.ts";

/** Rows of as many cells each as lines in columns: numbers end alike, and the column `begins` begins alike. */
export function alignedRows(rows: readonly (readonly string[])[], begins: number): string[] {
  const widths = (rows[0] ?? []).map((_, column) =>
    Math.max(...rows.map((row) => displayWidth(row[column] ?? ""))),
  );
  return rows.map((row) =>
    row
      .map((cell, column) => (column === begins ? padEnd : padStart)(cell, widths[column] ?? 0))
      .join("  ")
      .trimEnd(),
  );
}
