import {
  asyncBufferFromFile,
  parquetMetadataAsync,
  parquetReadObjects,
  parquetSchema,
  type RowGroup,
  type SchemaTree,
} from "hyparquet";
import { compressors } from "hyparquet-compressors";
import { messageOf } from "../../../foundation/base/index.ts";
import { type DataFile, textOf, unreadable } from "./bytes.ts";
import type { RawRow, Read } from "./row.ts";

/** A lone surrogate: what stands for bytes that are no text, so that the row is found. */
const noText = "\ud800";

/**
 * Row group by row group, only the columns that are wanted. A row group whose columns are not the file's is wrong as a
 * whole. Throws `dataset-unreadable` for a file that is no Parquet file, or broken.
 */
export async function* readParquet(file: DataFile, wanted: readonly string[]): AsyncGenerator<Read<RawRow>> {
  const buffer = await asyncBufferFromFile(file.path);
  const metadata = await naming(file, "it is not a whole Parquet file", () => parquetMetadataAsync(buffer));
  const schema = await naming(file, "it is not a whole Parquet file", async () => parquetSchema(metadata));
  const names = schema.children.map(({ element }) => element.name);
  const columns = names.filter((name) => wanted.includes(name));
  /** Columns that are not read are still named, for a row that lacks one. */
  const unread = Object.fromEntries(names.map((name) => [name, undefined]));
  const leaves = leavesOf(schema);
  let rowStart = 0;
  for (const [index, group] of metadata.row_groups.entries()) {
    const rowEnd = rowStart + Number(group.num_rows);
    const detail = differenceOf(leaves, group, index + 1);
    if (detail !== undefined)
      yield { line: rowStart + 1, reason: "other-schema", detail, rows: rowEnd - rowStart };
    else {
      const rows = await naming(file, `its row group ${index + 1} is broken`, () =>
        parquetReadObjects({ file: buffer, metadata, columns, rowStart, rowEnd, compressors, parsers }),
      );
      for (const [offset, row] of rows.entries())
        yield { line: rowStart + offset + 1, columns: { ...unread, ...row } };
    }
    rowStart = rowEnd;
  }
}

const parsers = {
  stringFromBytes: (bytes: Uint8Array | undefined) =>
    bytes === undefined ? bytes : (textOf(bytes) ?? noText),
};

type Leaves = ReadonlyMap<string, string>;

/** Path and type of every column that holds values. */
function leavesOf({ children, element, path }: SchemaTree): Leaves {
  if (children.length > 0) return new Map(children.flatMap((child) => [...leavesOf(child)]));
  return new Map([[path.join("."), element.type ?? ""]]);
}

function differenceOf(leaves: Leaves, { columns }: RowGroup, number: number): string | undefined {
  const own = new Map(
    columns.map(({ meta_data: column }) => [column?.path_in_schema.join(".") ?? "", column?.type ?? ""]),
  );
  const missing = [...leaves.keys()].find((path) => !own.has(path));
  if (missing !== undefined) return `row group ${number} has no column ${missing}`;
  const other = [...own].find(([path, type]) => leaves.get(path) !== type);
  if (other === undefined) return undefined;
  const [path, type] = other;
  const declared = leaves.get(path);
  return declared === undefined
    ? `row group ${number} has a column ${path} that the file does not declare`
    : `in row group ${number} ${path} is ${type}, and the file declares ${declared}`;
}

async function naming<T>(file: DataFile, what: string, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    throw unreadable(file, `${what} (${messageOf(error)}).`);
  }
}
