import type { DatabaseSync } from "node:sqlite";
import { z } from "zod";
import { type Clock, hashOf, internalError, type Json, WhetstoneError } from "../base/index.ts";
import { type RunEvent, runEventSchema, type StoredEvent } from "../contract/index.ts";
import { corrupt, naming } from "./faults.ts";
import { refuseNewer, transaction } from "./schema.ts";
import { readJson, writeJson } from "./stored-json.ts";

/** Rises when a stored event changes its shape in a way that old readers cannot read. */
const eventVersion = 1;

export interface RunRecord {
  readonly id: string;
  readonly name: string;
  readonly configHash: string;
  readonly description: Json;
  readonly seed: number;
  /** What it went on from, as the run that made the record described it; null for a run of its own. */
  readonly origin: Json;
  readonly startedAt: number;
}

/** An event with the key under which it is stored once. */
export interface KeyedEvent {
  readonly key: string;
  readonly event: RunEvent;
}

export interface StepWork<T extends Json> {
  readonly result: T;
  /** Stored together with the result, or not at all. */
  readonly events?: readonly KeyedEvent[];
}

/** The journal of one run: events that are stored once by key, and steps that are done once by name. */
export class RunLedger {
  readonly id: string;
  readonly record: RunRecord;
  readonly #database: DatabaseSync;
  readonly #path: string;
  readonly #clock: Clock;
  readonly #events: StoredEvent[];
  readonly #keys: Set<string>;
  readonly #running = new Set<string>();

  constructor(options: {
    readonly database: DatabaseSync;
    readonly path: string;
    readonly clock: Clock;
    readonly record: RunRecord;
  }) {
    const { database, path, clock, record } = options;
    this.id = record.id;
    this.record = record;
    this.#database = database;
    this.#path = path;
    this.#clock = clock;
    this.#events = readEvents(database, path, record.id);
    const rows = naming(path, () => database.prepare("SELECT key FROM events WHERE run = ?").all(record.id));
    this.#keys = new Set(rows.map(({ key }) => String(key)));
  }

  /** All of the run's events, in the order in which they were stored. */
  events(): readonly StoredEvent[] {
    return this.#events;
  }

  /** Stores an event, once a key; undefined when it was stored before. */
  append(key: string, event: RunEvent): StoredEvent | undefined {
    const { events } = this.#commit([{ key, event }], () => undefined);
    return events[0];
  }

  /**
   * Does a piece of work once over all attempts at the run: a finished step is not done again, its result is read. `input`
   * is what the work depends on; a step that was finished with another input throws `step-changed`. Result and events are
   * stored in one transaction after the work is done.
   */
  async step<T extends Json>(
    name: string,
    input: Json,
    work: () => Promise<StepWork<T>>,
  ): Promise<{ readonly result: T; readonly events: readonly StoredEvent[] }> {
    const inputHash = hashOf(input);
    const finished = this.#finished(name);
    if (finished !== undefined) {
      if (finished.input_hash !== inputHash) throw stepChanged(name);
      return { result: readJson(finished.result, this.#path) as T, events: [] };
    }
    if (this.#running.has(name)) throw internalError(`the step ${name} was begun twice at once`);
    this.#running.add(name);
    try {
      const { result, events = [] } = await work();
      const stored = writeJson(`the result of the step ${name}`, result);
      return this.#commit(events, () => {
        this.#database
          .prepare("INSERT INTO steps (run, name, input_hash, result, finished_at) VALUES (?, ?, ?, ?, ?)")
          .run(this.id, name, inputHash, stored, this.#clock.now());
        return result;
      });
    } finally {
      this.#running.delete(name);
    }
  }

  /** Whether a step of that name was finished. */
  isFinished(name: string): boolean {
    return this.#finished(name) !== undefined;
  }

  #finished(name: string) {
    return naming(this.#path, () =>
      this.#database
        .prepare("SELECT input_hash, result FROM steps WHERE run = ? AND name = ?")
        .get(this.id, name),
    );
  }

  /** One transaction. What is known in memory follows it, so that a failed one leaves nothing behind. */
  #commit<T>(given: readonly KeyedEvent[], work: () => T): { result: T; events: readonly StoredEvent[] } {
    const stored = new Map<string, StoredEvent>();
    const result = naming(this.#path, () =>
      transaction(this.#database, () => {
        for (const { key, event } of given)
          if (!this.#keys.has(key) && !stored.has(key)) stored.set(key, this.#insert(key, event));
        return work();
      }),
    );
    const events = [...stored.values()];
    for (const key of stored.keys()) this.#keys.add(key);
    this.#events.push(...events);
    return { result, events };
  }

  #insert(key: string, event: RunEvent): StoredEvent {
    const checked = runEventSchema.safeParse(event);
    if (!checked.success)
      throw internalError(`the event ${event.type} is malformed: ${z.prettifyError(checked.error)}`);
    const at = this.#clock.now();
    const body = writeJson(`the event ${event.type}`, checked.data as Json);
    const { lastInsertRowid } = this.#database
      .prepare("INSERT INTO events (run, key, at, type, version, body) VALUES (?, ?, ?, ?, ?, ?)")
      .run(this.id, key, at, event.type, eventVersion, body);
    return { id: Number(lastInsertRowid), run: this.id, at, event: checked.data };
  }
}

/** Reads a run's events, oldest first. Throws `ledger-newer`, or `ledger-corrupt` where one cannot be read. */
export function readEvents(database: DatabaseSync, path: string, run: string, after = 0): StoredEvent[] {
  return naming(path, () =>
    database
      .prepare("SELECT id, at, version, body FROM events WHERE run = ? AND id > ? ORDER BY id")
      .all(run, after)
      .map(({ id, at, version, body }) => {
        refuseNewer(Number(version), eventVersion, path);
        const event = runEventSchema.safeParse(readJson(body, path));
        if (!event.success) throw corrupt(path, event.error);
        return { id: Number(id), run, at: Number(at), event: event.data };
      }),
  );
}

export function readFinishedSteps(
  database: DatabaseSync,
  path: string,
  run: string,
  beginning: string,
): string[] {
  return naming(path, () =>
    database
      .prepare(
        "SELECT name FROM steps WHERE run = ? AND substr(name, 1, length(?)) = ? ORDER BY finished_at, name",
      )
      .all(run, beginning, beginning)
      .map(({ name }) => String(name)),
  );
}

export function readRuns(database: DatabaseSync, path: string): RunRecord[] {
  const rows = naming(path, () =>
    database
      .prepare(
        "SELECT id, name, config_hash, description, seed, origin, started_at FROM runs ORDER BY number",
      )
      .all(),
  );
  return rows.map((row) => ({
    id: String(row.id),
    name: String(row.name),
    configHash: String(row.config_hash),
    description: readJson(row.description, path),
    seed: Number(row.seed),
    origin: readJson(row.origin, path),
    startedAt: Number(row.started_at),
  }));
}

function stepChanged(name: string): WhetstoneError {
  return new WhetstoneError({
    code: "step-changed",
    category: "environment",
    message: `The step ${name} was done with other inputs than it has now, as after an update of Whetstone in the middle of a run: finish the run with the version that began it, or move the folder .whetstone away to start anew.`,
    details: { step: name },
  });
}
