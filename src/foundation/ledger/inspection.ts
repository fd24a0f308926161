import type { DatabaseSync } from "node:sqlite";
import { messageOf } from "../base/index.ts";
import { runEventSchema, type StoredEvent } from "../contract/index.ts";
import { readJson } from "./stored-json.ts";

/** What the database finds wrong with itself; reading what is damaged may fail, and that is told too. */
export function faultsOf(database: DatabaseSync): string[] {
  try {
    return database
      .prepare("PRAGMA integrity_check(10)")
      .all()
      .map((row) => String(row.integrity_check))
      .filter((said) => said !== "ok");
  } catch (error) {
    return [messageOf(error)];
  }
}

/** Every SHA-256 in any text of any table, whatever it is there for. */
export function hashesIn(database: DatabaseSync): ReadonlySet<string> {
  const found = new Set<string>();
  const tables = database
    .prepare("SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite_%'")
    .all();
  for (const { name } of tables)
    for (const row of database.prepare(`SELECT * FROM "${String(name).replaceAll('"', '""')}"`).iterate())
      for (const value of Object.values(row))
        if (typeof value === "string")
          for (const [hash] of value.matchAll(/(?<![0-9a-f])[0-9a-f]{64}(?![0-9a-f])/g)) found.add(hash);
  return found;
}

/** A run's events in order, as far as they can be read. */
export function readableEvents(database: DatabaseSync, path: string, run: string): StoredEvent[] {
  const events: StoredEvent[] = [];
  try {
    const rows = database.prepare("SELECT id, at, body FROM events WHERE run = ? ORDER BY id").iterate(run);
    for (const { id, at, body } of rows) {
      const event = runEventSchema.parse(readJson(body, path));
      events.push({ id: Number(id), run, at: Number(at), event });
    }
  } catch {
    // The rest is what the damage took.
  }
  return events;
}
