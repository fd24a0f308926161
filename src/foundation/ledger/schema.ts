import { existsSync } from "node:fs";
import { DatabaseSync } from "node:sqlite";
import { userError, WhetstoneError } from "../base/index.ts";
import { naming } from "./faults.ts";

/** Each entry brings a ledger from the version before it to the next; the first makes an empty one. Never edit one that shipped. */
const migrations: readonly string[] = [
  `
  CREATE TABLE runs (
    number INTEGER PRIMARY KEY, id TEXT NOT NULL UNIQUE, name TEXT NOT NULL, config_hash TEXT NOT NULL,
    description TEXT NOT NULL, seed INTEGER NOT NULL, origin TEXT NOT NULL, started_at REAL NOT NULL
  ) STRICT;
  CREATE TABLE events (
    id INTEGER PRIMARY KEY AUTOINCREMENT, run TEXT NOT NULL REFERENCES runs(id), key TEXT NOT NULL, at REAL NOT NULL,
    type TEXT NOT NULL, version INTEGER NOT NULL, body TEXT NOT NULL, UNIQUE (run, key)
  ) STRICT;
  CREATE TABLE steps (
    run TEXT NOT NULL REFERENCES runs(id), name TEXT NOT NULL, input_hash TEXT NOT NULL, result TEXT NOT NULL,
    finished_at REAL NOT NULL, PRIMARY KEY (run, name)
  ) STRICT, WITHOUT ROWID;
  CREATE TABLE facts (key TEXT PRIMARY KEY, value TEXT NOT NULL) STRICT, WITHOUT ROWID;
  CREATE TABLE openings (
    items TEXT NOT NULL, number INTEGER NOT NULL, owner TEXT NOT NULL, PRIMARY KEY (items, number), UNIQUE (items, owner)
  ) STRICT, WITHOUT ROWID;
  CREATE TABLE used_items (
    items TEXT NOT NULL, canonical TEXT NOT NULL, owner TEXT NOT NULL, PRIMARY KEY (items, canonical)
  ) STRICT, WITHOUT ROWID;
  `,
];

/** Tables that every version has had. */
const ownTables = ["runs", "events", "steps", "facts"];

/**
 * Opens the ledger's database, making or migrating it. Throws `ledger-newer`, `ledger-foreign` and what {@link naming} names; and
 * `ledger-empty` for a file that is there and holds nothing, unless it `mayBeEmpty`, as after a death while it was made.
 */
export function openDatabase(path: string, { mayBeEmpty = true } = {}): DatabaseSync {
  return naming(path, () => {
    const found = existsSync(path);
    const database = new DatabaseSync(path, { timeout: 5000, enableForeignKeyConstraints: true });
    try {
      if (isEmpty(database, path) && found && !mayBeEmpty) throw emptyLedger(path);
      // A step's end is on the disk before anything goes on from it: FULL also survives a power cut.
      database.exec("PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL;");
      migrate(database, path);
      return database;
    } catch (error) {
      database.close();
      throw error;
    }
  });
}

/** Opens it to read, beside whoever writes; undefined where nothing is in it, as while it is made. Throws `ledger-foreign` too. */
export function openDatabaseToRead(path: string): DatabaseSync | undefined {
  return naming(path, () => {
    const database = new DatabaseSync(path, { readOnly: true, timeout: 5000 });
    try {
      const empty = isEmpty(database, path);
      refuseNewer(versionOf(database), migrations.length, path);
      if (!empty) return database;
      database.close();
      return undefined;
    } catch (error) {
      database.close();
      throw error;
    }
  });
}

/** Whether nothing is in it yet. Throws `ledger-foreign` where something else is. */
function isEmpty(database: DatabaseSync, path: string): boolean {
  const tables = database
    .prepare("SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite_%'")
    .all()
    .map(({ name }) => String(name));
  if (tables.length === 0) return true;
  if (ownTables.every((name) => tables.includes(name))) return false;
  throw userError(
    "ledger-foreign",
    `${path} is no ledger of Whetstone, but a database with other tables (${tables.slice(0, 4).join(", ")}): move it away, or use another folder.`,
    { path },
  );
}

export function emptyLedger(path: string): WhetstoneError {
  return new WhetstoneError({
    code: "ledger-empty",
    category: "environment",
    message: `${path} is there, but nothing is in it: it was damaged, or its making was cut off. Restore it from a copy, or move the folder .whetstone away to start anew.`,
    details: { path },
  });
}

function migrate(database: DatabaseSync, path: string): void {
  const version = versionOf(database);
  refuseNewer(version, migrations.length, path);
  for (const [index, migration] of migrations.entries()) {
    if (index < version) continue;
    transaction(database, () => {
      database.exec(migration);
      database.exec(`PRAGMA user_version = ${index + 1}`);
    });
  }
}

function versionOf(database: DatabaseSync): number {
  return Number(database.prepare("PRAGMA user_version").get()?.user_version ?? 0);
}

/** Throws `ledger-newer` for what a later version of this program wrote. */
export function refuseNewer(version: number, known: number, path: string): void {
  if (version > known)
    throw userError(
      "ledger-newer",
      `${path} was written by a newer Whetstone (format ${version}; this one knows ${known}): update Whetstone.`,
      { path },
    );
}

/** All of it, or nothing. */
export function transaction<T>(database: DatabaseSync, work: () => T): T {
  database.exec("BEGIN IMMEDIATE");
  try {
    const result = work();
    database.exec("COMMIT");
    return result;
  } catch (error) {
    // A full disk may have rolled it back already.
    if (database.isTransaction) database.exec("ROLLBACK");
    throw error;
  }
}
