import { DatabaseSync } from "node:sqlite";

/** Rises when the tables or the names of origins change: an index of another version is made anew from the artifacts. */
const version = 2;

/** What the index holds: a row a training record, with its examples packed; where they came from; and how much of each record did. */
const tables = `
  CREATE TABLE records (
    number INTEGER PRIMARY KEY, artifact TEXT NOT NULL UNIQUE, run TEXT NOT NULL, round INTEGER NOT NULL,
    checkpoint TEXT NOT NULL UNIQUE, rollouts TEXT, header TEXT NOT NULL, examples BLOB NOT NULL
  ) STRICT;
  CREATE INDEX records_round ON records (run, round);
  CREATE INDEX records_rollouts ON records (rollouts);
  CREATE TABLE origins (number INTEGER PRIMARY KEY, key TEXT NOT NULL UNIQUE) STRICT;
  CREATE TABLE shares (
    record INTEGER NOT NULL, origin INTEGER NOT NULL, examples INTEGER NOT NULL, times INTEGER NOT NULL, tokens INTEGER NOT NULL,
    samples TEXT NOT NULL, PRIMARY KEY (record, origin)
  ) STRICT, WITHOUT ROWID;
`;

/** Packed examples are read whole: the fewer pages the better. */
const pageBytes = 16384;

/** Opens an index to write, making its tables where there are none; one of another version is emptied first. Throws what SQLite does. */
export function openIndex(path: string): DatabaseSync {
  const database = new DatabaseSync(path, { timeout: 5000 });
  try {
    // It can be made again from the artifacts: that it is whole after a power cut is enough.
    database.exec(`PRAGMA page_size = ${pageBytes}; PRAGMA journal_mode = WAL; PRAGMA synchronous = NORMAL;`);
    database.exec("BEGIN IMMEDIATE");
    if (Number(database.prepare("PRAGMA user_version").get()?.user_version) !== version) {
      for (const { name } of database
        .prepare("SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite_%'")
        .all())
        database.exec(`DROP TABLE "${String(name).replaceAll('"', '""')}"`);
      database.exec(tables);
      database.exec(`PRAGMA user_version = ${version}`);
    }
    database.exec("COMMIT");
    return database;
  } catch (error) {
    database.close();
    throw error;
  }
}
