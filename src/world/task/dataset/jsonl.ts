import { type Bytes, RowBytes } from "./bytes.ts";
import { jsonRow } from "./json-row.ts";
import type { RawRow, Read } from "./row.ts";

const lineFeed = 10;

/** One row a line; empty lines are none. A line that is too long is passed over piece by piece. */
export async function* readJsonl(bytes: Bytes): AsyncGenerator<Read<RawRow>> {
  const row = new RowBytes();
  let line = 0;
  const end = (): Read<RawRow> | undefined => {
    line += 1;
    const all = row.take();
    return all !== null && isBlank(all) ? undefined : jsonRow(all, line);
  };
  for await (const chunk of bytes) {
    let start = 0;
    for (let at = chunk.indexOf(lineFeed); at >= 0; at = chunk.indexOf(lineFeed, start)) {
      row.add(chunk.subarray(start, at));
      const read = end();
      if (read !== undefined) yield read;
      start = at + 1;
    }
    if (start < chunk.length) row.add(chunk.subarray(start));
  }
  const last = row.empty ? undefined : end();
  if (last !== undefined) yield last;
}

/** JSON's own white space only. */
function isBlank(bytes: Buffer): boolean {
  return bytes.every((byte) => byte === 32 || byte === 9 || byte === 13);
}
