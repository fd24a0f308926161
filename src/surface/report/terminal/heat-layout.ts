import type { HeatColumn, HeatMap } from "../heat-map.ts";
import { displayWidth } from "./display-width.ts";
import { type Pen, printable } from "./paint.ts";

/** How a heat map is cut to a width. */
export interface Layout {
  readonly cell: number;
  /** Names of kinds stand above their cells, cut to them. */
  readonly named: boolean;
  /** A gap where demonstrations end, and where the run's own teaching ends. */
  readonly gaps: boolean;
  /** Difficulties that share one cell; more than one only where they would not fit. */
  readonly together: number;
}

/** Where the rounds stand. */
export const labelWidth = 5;

/** The last column: the frontier, or of kinds, which have none, the mean over the target distribution. */
export const heads = { ordered: "frontier", kinds: "    mean" } as const;
export const headWidth = heads.ordered.length;

/** Cells of a kind: as wide as its name, within these. */
const namedCells = { least: 6, most: 16 };

/** The widest cells that find room; names of kinds, if they do. */
export function layoutOf({ columns, ordered }: HeatMap, room: number, { glyphs }: Pen): Layout {
  if (!ordered) {
    const longest = Math.max(...columns.map(({ name }) => displayWidth(printable(name, glyphs)))) + 1;
    const wished = Math.min(namedCells.most, Math.max(namedCells.least, longest));
    const cell = Math.min(wished, Math.floor((room - 2 - headWidth) / columns.length));
    if (cell >= namedCells.least) return { cell, named: true, gaps: false, together: 1 };
  }
  const wishes = [
    { cell: 4, gaps: true },
    { cell: 4, gaps: false },
    { cell: 3, gaps: true },
    { cell: 2, gaps: true },
    { cell: 1, gaps: true },
    { cell: 1, gaps: false },
  ];
  const wish = wishes.find((layout) => widthOf(columns, { ...layout, together: 1 }) <= room);
  if (wish !== undefined) return { ...wish, named: false, together: 1 };
  return { cell: 1, named: false, gaps: false, together: Math.ceil(columns.length / Math.max(1, room)) };
}

export function widthOf(
  columns: readonly HeatColumn[],
  { cell, gaps, together }: Omit<Layout, "named">,
): number {
  const zones = new Set(columns.map(({ zone }) => zone)).size;
  return Math.ceil(columns.length / together) * cell + (gaps ? zones - 1 : 0);
}
