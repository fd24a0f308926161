import { join } from "node:path";
import type { DatabaseSync } from "node:sqlite";
import { messageOf } from "../../base/index.ts";
import type { StoredEvent, TrainedExample } from "../../contract/index.ts";
import { Artifacts } from "../artifacts.ts";
import { ledgerFault } from "../faults.ts";
import { type LedgerReader, ledgerFolder } from "../ledger.ts";
import { type FoundExample, IndexReader } from "./index-reader.ts";
import { openIndex } from "./index-schema.ts";
import { addRecord } from "./index-writer.ts";
import { indexPath, isDamage, openOrReplaceIndex, removeIndex } from "./lineage.ts";
import { readExample, readHeader } from "./training-record.ts";

/** What a folder's runs learnt from, to be asked. */
export interface LineageReader {
  readonly index: IndexReader;
  /** Records that cannot be read, and why: what they would say is missing. */
  readonly unreadable: readonly string[];
  /** The examples as their records have them. Throws `artifact-missing` and `artifact-damaged`. */
  read(found: readonly FoundExample[]): Promise<TrainedExample[]>;
}

/**
 * Asks what a folder's runs learnt from. The index is brought up to date with the records that the ledger names, and made anew
 * where it is missing or damaged; in a folder that cannot be written it lasts as long as the question. `work` may be called
 * twice.
 */
export async function readLineage<T>(
  folder: string,
  ledger: LedgerReader,
  work: (lineage: LineageReader) => Promise<T>,
): Promise<T> {
  const place = ledgerFolder(folder);
  const path = indexPath(place);
  const artifacts = new Artifacts(join(place, "artifacts"));
  const records = ledger.runs().flatMap(({ id }) => recordsIn(ledger.events(id)));
  const ask = async (): Promise<T> => {
    const database = writable(path);
    try {
      const index = new IndexReader(database);
      const unreadable = await catchUp(database, index, artifacts, records);
      return await work({ index, unreadable, read: readingFrom(artifacts) });
    } finally {
      database.close();
    }
  };
  try {
    return await ask();
  } catch (error) {
    if (!isDamage(error)) throw ledgerFault(error, path);
    removeIndex(path);
    return ask().catch((again: unknown) => {
      throw ledgerFault(again, path);
    });
  }
}

/** Records that events name, in their order. */
function recordsIn(events: readonly StoredEvent[]): string[] {
  return events.flatMap(({ event }) =>
    event.type === "model-prepared" || event.type === "training-finished" ? (event.lineage ?? []) : [],
  );
}

function writable(path: string): DatabaseSync {
  try {
    return openOrReplaceIndex(path);
  } catch {
    return openIndex(":memory:");
  }
}

/** Puts into the index what it lacks. */
async function catchUp(
  database: DatabaseSync,
  index: IndexReader,
  artifacts: Artifacts,
  records: readonly string[],
): Promise<string[]> {
  const known = index.artifacts();
  const missing = [...new Set(records)].filter((artifact) => !known.has(artifact));
  const unreadable: string[] = [];
  for (const artifact of missing) {
    try {
      const [first, ...rows] = await artifacts.read(artifact);
      addRecord(database, artifact, readHeader(first), rows.map(readExample));
    } catch (error) {
      if ((error as { readonly errcode?: number }).errcode !== undefined) throw error;
      unreadable.push(messageOf(error));
    }
  }
  return unreadable;
}

/** Reads examples from their records; one that was read is not read again. */
function readingFrom(artifacts: Artifacts): LineageReader["read"] {
  const rows = new Map<string, TrainedExample>();
  const keyOf = ({ artifact, place }: Pick<FoundExample, "artifact" | "place">): string =>
    `${artifact}/${place}`;
  return async (found) => {
    const wanted = new Map<string, Set<number>>();
    for (const { artifact, place } of found)
      if (!rows.has(keyOf({ artifact, place })))
        // The first row of a record says what it is.
        wanted.set(artifact, (wanted.get(artifact) ?? new Set<number>()).add(place + 1));
    for (const [artifact, places] of wanted)
      for (const [place, row] of await artifacts.readSome(artifact, places))
        rows.set(keyOf({ artifact, place: place - 1 }), readExample(row));
    return found.map((one) => rows.get(keyOf(one)) as TrainedExample);
  };
}
