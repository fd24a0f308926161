import { describe, expect, test } from "vitest";
import { nowhere } from "./prefix-index.ts";
import { Table, type TableOptions } from "./table.ts";

const options: TableOptions = {
  vocabulary: 4,
  reach: { horizon: 3, backOff: 2 },
  seed: 7,
  deviation: 1,
  suppressed: [],
};

function logitsAfter(table: Table, ...tokens: readonly number[]): number[] {
  const sequence = Int32Array.from(tokens);
  const out = new Float64Array(table.options.vocabulary);
  let node = table.index.start;
  for (let position = 0; position < sequence.length; position++)
    node = table.index.node(sequence, position, node);
  table.read(out, sequence, sequence.length - 1, node);
  return Array.from(out);
}

/** Stores the row of a prefix, with one logit changed. */
function change(table: Table, tokens: readonly number[], token: number, by: number): void {
  const sequence = Int32Array.from(tokens);
  let node = table.index.start;
  for (let position = 0; position < sequence.length; position++)
    node = table.index.grow(sequence, position, node);
  const at = table.rowOf(sequence, sequence.length - 1, node) * table.options.vocabulary + token;
  table.values[at] = (table.values[at] as number) + by;
}

describe("Table", () => {
  test("gives every prefix logits of its own, which only seed and prefix decide", () => {
    const table = new Table(options);
    expect(logitsAfter(table, 1, 2)).toEqual(logitsAfter(new Table(options), 1, 2));
    expect(logitsAfter(table, 1, 2)).not.toEqual(logitsAfter(table, 2, 1));
    expect(logitsAfter(table, 0)).not.toEqual(logitsAfter(table, 0, 0));
    expect(logitsAfter(new Table({ ...options, seed: 8 }), 1, 2)).not.toEqual(logitsAfter(table, 1, 2));
    expect(table.rows).toBe(0);
  });

  test("stores a row as it was drawn, and no row for reading it", () => {
    const table = new Table(options);
    const before = logitsAfter(table, 1, 2);
    change(table, [1, 2], 3, 0);
    expect(table.rows).toBe(1);
    expect(logitsAfter(table, 1, 2)).toEqual(before);
    change(table, [1, 2], 3, 5);
    expect(logitsAfter(table, 1, 2)[3]).toBe((before[3] as number) + 5);
    expect(table.rows).toBe(1);
  });

  test("beyond the horizon, prefixes share the row of their last tokens", () => {
    const table = new Table(options);
    expect(logitsAfter(table, 0, 0, 1, 2)).toEqual(logitsAfter(table, 3, 3, 3, 1, 2));
    expect(logitsAfter(table, 0, 0, 1, 2)).not.toEqual(logitsAfter(table, 0, 0, 2, 2));
    // Up to it they do not, nor is an ending the prefix that looks like it.
    expect(logitsAfter(table, 0, 1, 2)).not.toEqual(logitsAfter(table, 3, 1, 2));
    expect(logitsAfter(table, 0, 0, 1, 2)).not.toEqual(logitsAfter(table, 1, 2));
    change(table, [0, 0, 1, 2], 0, 9);
    expect(logitsAfter(table, 3, 3, 3, 1, 2)).toEqual(logitsAfter(table, 0, 0, 1, 2));
    expect(logitsAfter(table, 3, 3, 3, 1, 2)[0]).toBeGreaterThan(5);
    expect(logitsAfter(table, 1, 2)[0]).toBeLessThan(5);
  });

  test("a view knows no row that was stored later, and sees none of its values", () => {
    const table = new Table(options);
    change(table, [1], 0, 1);
    const view = table.view();
    const before = logitsAfter(view, 2);
    table.decay = 0.5;
    change(table, [2], 0, 5);
    expect(logitsAfter(view, 2)).toEqual(before);
    expect(logitsAfter(table, 2)[1]).toBeCloseTo((before[1] as number) / 2, 12);
  });

  test("suppressed tokens are impossible, stored or not", () => {
    const table = new Table({ ...options, suppressed: [0, 2] });
    const impossible = (logits: readonly number[]) =>
      logits.map((logit) => logit === Number.NEGATIVE_INFINITY);
    expect(impossible(logitsAfter(table, 1))).toEqual([true, false, true, false]);
    change(table, [1], 1, 1);
    expect(impossible(logitsAfter(table, 1))).toEqual([true, false, true, false]);
  });

  test("begins uniform where nothing deviates", () => {
    expect(logitsAfter(new Table({ ...options, deviation: 0 }), 1, 2)).toEqual([0, 0, 0, 0]);
  });

  test("numbers prefixes that were never grown as nowhere", () => {
    const table = new Table(options);
    change(table, [1, 2], 0, 0);
    const { index } = table;
    const at = (...tokens: number[]) =>
      tokens.reduce((node, _, position) => index.node(Int32Array.from(tokens), position, node), index.start);
    expect(at(1)).not.toBe(nowhere);
    expect(index.row(at(1))).toBe(nowhere);
    expect(index.row(at(1, 2))).toBe(0);
    expect(at(2)).toBe(nowhere);
    expect(at(2, 1, 1)).toBe(nowhere);
  });
});
