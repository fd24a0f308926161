import { type Bytes, type DataFile, RowBytes, textOf, unreadable } from "./bytes.ts";
import type { RawRow, Read } from "./row.ts";

const [lineFeed, quote] = [10, 0x22];
const marks = [",", ";", "\t"];

/** Where a byte stands: at a field's begin, in an unquoted or a quoted one, or after a quote that may have closed it. */
type State = "begin" | "plain" | "quoted" | "closing";

/**
 * The first line names the columns; `,` parts them, or `;` or a tab where the first line has those instead. Quotes are as in
 * RFC 4180; one inside an unquoted field is itself. Throws `dataset-unreadable` for a quote that is never closed, since it
 * swallows what follows.
 */
export async function* readCsv(bytes: Bytes, file: DataFile): AsyncGenerator<Read<RawRow>> {
  const row = new RowBytes();
  let header: Header | undefined;
  let [state, line, begun]: [State, number, number] = ["begin", 1, 1];
  let mark: number | undefined;
  const end = (): Read<RawRow> | undefined => {
    const all = row.take();
    if (all !== null && isBlank(all)) return undefined;
    if (header !== undefined) return rowOf(header, all, begun);
    header = headerOf(file, all, String.fromCharCode(mark ?? 44));
    return undefined;
  };
  for await (const chunk of bytes) {
    // Decided once, for columns and rows alike: by the first line that is not blank.
    mark ??= markOf(/\S[^\n]*/.exec(chunk.toString("latin1"))?.[0] ?? "").charCodeAt(0);
    let from = 0;
    for (let at = 0; at < chunk.length; at++) {
      const byte = chunk[at] as number;
      if (byte === lineFeed) line += 1;
      if (state === "quoted") {
        if (byte === quote) state = "closing";
      } else if (byte === quote) state = state === "plain" ? "plain" : "quoted";
      else if (byte === lineFeed) {
        row.add(chunk.subarray(from, at));
        const read = end();
        if (read !== undefined) yield read;
        [state, begun, from] = ["begin", line, at + 1];
      } else state = byte === mark ? "begin" : "plain";
    }
    if (from < chunk.length) row.add(chunk.subarray(from));
  }
  if (state === "quoted")
    throw unreadable(
      file,
      `the row that begins in line ${begun} opens a quote that is never closed; a quote inside quotes is written "".`,
    );
  const last = row.empty ? undefined : end();
  if (last !== undefined) yield last;
}

interface Header {
  readonly names: readonly string[];
  readonly mark: string;
}

/** What parts the fields: of the marks that the first line has, the most usual. */
function markOf(firstLine: string): string {
  return marks.find((one) => firstLine.includes(one)) ?? ",";
}

function headerOf(file: DataFile, all: Buffer | null, mark: string): Header {
  const text = all === null ? undefined : textOf(all);
  const names = text === undefined ? undefined : fieldsOf(text, mark)?.map((name) => name.trim());
  if (names === undefined) throw unreadable(file, "its first line does not name the columns.");
  const twice = names.find((name, index) => names.indexOf(name) < index && name !== "");
  if (twice !== undefined) throw unreadable(file, `two of its columns are called "${twice}"; name one anew.`);
  return { names, mark };
}

function rowOf({ names, mark }: Header, all: Buffer | null, line: number): Read<RawRow> {
  if (all === null) return { line, reason: "too-long" };
  if (all.includes(0)) return { line, reason: "nul-character" };
  const text = textOf(all);
  if (text === undefined) return { line, reason: "not-unicode", detail: "its bytes are not UTF-8" };
  const fields = fieldsOf(text, mark);
  if (fields === undefined)
    return {
      line,
      reason: "not-csv",
      detail: 'something stands behind a closing quote; inside quotes one is ""',
    };
  if (fields.length !== names.length)
    return {
      line,
      reason: "wrong-columns",
      detail: `it has ${fields.length}, and the first line ${names.length}`,
    };
  return { line, columns: Object.fromEntries(names.map((name, index) => [name, fields[index]])) };
}

/** The fields of a whole row; undefined where a quote is left open, or something stands between a closing one and the next mark. */
function fieldsOf(row: string, mark: string): string[] | undefined {
  const text = row.endsWith("\r") ? row.slice(0, -1) : row;
  const fields: string[] = [];
  for (let at = 0; ; at += 1) {
    let field = "";
    if (text[at] === '"') {
      let close = text.indexOf('"', at + 1);
      for (; text[close + 1] === '"'; close = text.indexOf('"', at + 1)) {
        field += text.slice(at + 1, close + 1);
        at = close + 1;
      }
      if (close < 0) return undefined;
      field += text.slice(at + 1, close);
      at = close + 1;
      if (at < text.length && text[at] !== mark) return undefined;
    } else {
      const next = text.indexOf(mark, at);
      const stop = next < 0 ? text.length : next;
      field = text.slice(at, stop);
      at = stop;
    }
    fields.push(field);
    if (at >= text.length) return fields;
  }
}

function isBlank(bytes: Buffer): boolean {
  return bytes.every((byte) => byte === 32 || byte === 13);
}
