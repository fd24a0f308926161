import { rationalOf } from "./rational.ts";

/** Levels of brackets that are followed. */
const mostDepth = 500;

/**
 * JSON with sorted members, and sorted elements where their order does not matter: equal texts for equal values. Numbers are
 * compared as they are written, exactly: 1.0 is 1, and two integers of twenty digits are not the same because doubles are.
 * Throws where a text is no JSON, or too deep.
 */
export function jsonForm(text: string, ignoreOrder: boolean): string {
  return formOf(parseExactly(text), ignoreOrder, 0);
}

class WrittenNumber {
  readonly form: string;
  constructor(source: string) {
    const exact = rationalOf(source);
    this.form = exact === undefined ? source : `${exact.numerator}/${exact.denominator}`;
  }
}

type ReviverWithSource = (key: string, value: unknown, context: { readonly source?: string }) => unknown;

function parseExactly(text: string): unknown {
  const revive: ReviverWithSource = (_key, value, { source }) =>
    typeof value === "number" ? new WrittenNumber(source ?? String(value)) : value;
  return JSON.parse(text, revive as Parameters<typeof JSON.parse>[1]);
}

function formOf(value: unknown, ignoreOrder: boolean, depth: number): string {
  if (depth > mostDepth) throw new RangeError("more levels of brackets than are followed");
  if (value instanceof WrittenNumber) return value.form;
  if (Array.isArray(value)) {
    const elements = value.map((element) => formOf(element, ignoreOrder, depth + 1));
    return `[${(ignoreOrder ? elements.sort() : elements).join(",")}]`;
  }
  if (typeof value === "object" && value !== null) {
    const members = Object.entries(value).map(
      ([key, member]) => `${JSON.stringify(key)}:${formOf(member, ignoreOrder, depth + 1)}`,
    );
    return `{${members.sort().join(",")}}`;
  }
  return JSON.stringify(value);
}

/** The JSON of a response: the whole of it, or what its last code fence holds. */
export function jsonPart(text: string): string {
  let [open, last]: [{ readonly fence: string; readonly lines: string[] } | undefined, string?] = [undefined];
  for (const line of text.split("\n")) {
    const fence = /^\s*(`{3,}|~{3,})/.exec(line)?.[1];
    if (open === undefined) open = fence === undefined ? undefined : { fence, lines: [] };
    else if (line.trim() !== open.fence) open.lines.push(line);
    else {
      last = open.lines.join("\n");
      open = undefined;
    }
  }
  return (last ?? text).trim();
}
