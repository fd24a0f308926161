import { type Bytes, type DataFile, RowBytes, unreadable } from "./bytes.ts";
import { jsonRow } from "./json-row.ts";
import type { RawRow, Read } from "./row.ts";

const [quote, backslash, comma] = [0x22, 0x5c, 0x2c];
const [openList, closeList, openObject, closeObject] = [0x5b, 0x5d, 0x7b, 0x7d];

/**
 * The members of a JSON file's list: the file is a list of objects, or an object one member of which is such a list. Only
 * the list's own outline is followed, byte by byte; each member is then read by itself, so that a broken one is a wrong
 * row as long as its brackets match. Throws `dataset-unreadable` where they do not, and where there is no list or two.
 */
export async function* readJsonList(bytes: Bytes, file: DataFile): AsyncGenerator<Read<RawRow>> {
  const row = new RowBytes();
  /** What closes each bracket that is open. */
  const open: number[] = [];
  let [inText, escaped, begun, lists, count] = [false, false, false, 0, 0];
  /** How many brackets are open between members of the list; 0 outside it. */
  let level = 0;
  /** In a list that may be the one: decided by its first member. */
  let undecided = false;
  const where = (): string => (count === 0 ? "before its first row" : `after row ${count}`);

  for await (const chunk of bytes) {
    /** Where the piece of a member that this chunk holds begins. */
    let from = level > 0 ? 0 : -1;
    const member = (to: number): Read<RawRow> | undefined => {
      row.add(chunk.subarray(from, to));
      from = to + 1;
      const all = row.take();
      const listIsEmpty = count === 0 && chunk[to] === closeList && all?.every(isSpace) === true;
      if (listIsEmpty) return undefined;
      count += 1;
      return jsonRow(all, count);
    };
    for (let at = 0; at < chunk.length; at++) {
      const byte = chunk[at] as number;
      if (inText) {
        if (escaped) escaped = false;
        else if (byte === backslash) escaped = true;
        else if (byte === quote) inText = false;
        continue;
      }
      if (isSpace(byte)) continue;
      if (begun && open.length === 0)
        throw unreadable(
          file,
          `something stands after its end, ${where()}; a file of one object a line ends in .jsonl.`,
        );
      if (!begun && byte !== openList && byte !== openObject)
        throw unreadable(file, "it is no JSON list of objects; put one object a line into a .jsonl file.");
      if (undecided) {
        undecided = false;
        // A list of objects, or the file itself, even where it is empty or wrong.
        if (byte === openObject || open.length === 1) {
          level = open.length;
          from = at;
          lists += 1;
          if (lists > 1)
            throw unreadable(file, "it has two lists of objects; leave only the one with the rows.");
        }
      }
      if (byte === quote) inText = true;
      else if (byte === openList || byte === openObject) {
        undecided = byte === openList && level === 0 && open.length <= 1;
        open.push(byte === openList ? closeList : closeObject);
        begun = true;
      } else if (byte === closeList || byte === closeObject) {
        if (open.at(-1) !== byte) throw unreadable(file, `its brackets do not match, ${where()}.`);
        if (open.length === level) {
          const last = member(at);
          if (last !== undefined) yield last;
          level = 0;
          from = -1;
        }
        open.pop();
      } else if (byte === comma && level > 0 && open.length === level) {
        const next = member(at);
        if (next !== undefined) yield next;
      }
    }
    if (level > 0 && from < chunk.length) row.add(chunk.subarray(from));
  }
  if (open.length > 0 || inText) throw unreadable(file, `it ends in the middle, ${where()}: is it whole?`);
  if (begun && lists === 0)
    throw unreadable(file, "it is no list of objects, and no member of it is one; each row is an object.");
}

function isSpace(byte: number): boolean {
  return byte === 32 || byte === 10 || byte === 13 || byte === 9;
}
