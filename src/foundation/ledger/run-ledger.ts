import type { DatabaseSync } from "node:sqlite";
import { type Clock, hashOf, internalError, type Json, WhetstoneError } from "../base/index.ts";
import { type RunEvent, runEventSchema, type StoredEvent } from "../contract/index.ts";
import { naming } from "./faults.ts";
import { transaction } from "./schema.ts";

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
    this.#events = readEvents(database, record.id);
    const rows = database.prepare("SELECT key FROM events WHERE run = ?").all(record.id);
    this.#keys = new Set(rows.map(({ key }) => String(key)));
  }

  /** All of the run's events, in the order in which they were stored. */
  events(): readonly StoredEvent[] {
    return this.#events;
  }

  /** Stores an event, once a key; undefined when it was stored before. */
  append(key: string, event: RunEvent): StoredEvent | undefined {
    const [stored] = naming(this.#path, () =>
      transaction(this.#database, () => this.#store([{ key, event }])),
    );
    return stored;
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
    const finished = this.#database
      .prepare("SELECT input_hash, result FROM steps WHERE run = ? AND name = ?")
      .get(this.id, name);
    if (finished !== undefined) {
      if (finished.input_hash !== inputHash) throw stepChanged(name);
      return { result: JSON.parse(String(finished.result)) as T, events: [] };
    }
    const { result, events = [] } = await work();
    return naming(this.#path, () =>
      transaction(this.#database, () => {
        this.#database
          .prepare("INSERT INTO steps (run, name, input_hash, result, finished_at) VALUES (?, ?, ?, ?, ?)")
          .run(this.id, name, inputHash, JSON.stringify(result), this.#clock.now());
        return { result, events: this.#store(events) };
      }),
    );
  }

  #store(events: readonly KeyedEvent[]): StoredEvent[] {
    const insert = this.#database.prepare(
      "INSERT INTO events (run, key, at, type, version, body) VALUES (?, ?, ?, ?, ?, ?)",
    );
    const stored: StoredEvent[] = [];
    for (const { key, event } of events) {
      if (this.#keys.has(key)) continue;
      const checked = runEventSchema.safeParse(event);
      if (!checked.success)
        throw internalError(`the event ${event.type} is malformed: ${checked.error.message}`);
      const at = this.#clock.now();
      const { lastInsertRowid } = insert.run(
        this.id,
        key,
        at,
        event.type,
        eventVersion,
        JSON.stringify(event),
      );
      stored.push({ id: Number(lastInsertRowid), run: this.id, at, event });
      this.#keys.add(key);
    }
    this.#events.push(...stored);
    return stored;
  }
}

/** Reads a run's events, oldest first. */
export function readEvents(database: DatabaseSync, run: string): StoredEvent[] {
  return database
    .prepare("SELECT id, at, body FROM events WHERE run = ? ORDER BY id")
    .all(run)
    .map(({ id, at, body }) => ({
      id: Number(id),
      run,
      at: Number(at),
      event: runEventSchema.parse(JSON.parse(String(body))),
    }));
}

export function readRuns(database: DatabaseSync): RunRecord[] {
  return database
    .prepare("SELECT id, name, config_hash, description, seed, origin, started_at FROM runs ORDER BY number")
    .all()
    .map((row) => ({
      id: String(row.id),
      name: String(row.name),
      configHash: String(row.config_hash),
      description: JSON.parse(String(row.description)) as Json,
      seed: Number(row.seed),
      origin: JSON.parse(String(row.origin)) as Json,
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
