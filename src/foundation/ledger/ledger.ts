import { existsSync, mkdirSync, readdirSync, rmSync } from "node:fs";
import { isAbsolute, join, relative, sep } from "node:path";
import type { DatabaseSync } from "node:sqlite";
import { z } from "zod";
import { type Clock, type Json, readOptions, systemClock, writeWholeSync } from "../base/index.ts";
import type { StoredEvent } from "../contract/index.ts";
import { AnswerFiles } from "./answer-files.ts";
import { Artifacts } from "./artifacts.ts";
import { type CanonicalForm, readCanonicalForm } from "./canonical-form.ts";
import { naming } from "./faults.ts";
import { faultsOf, hashesIn, readableEvents } from "./inspection.ts";
import { Lineage } from "./lineage/lineage.ts";
import { type Holder, holderOf, takeFolder } from "./owner.ts";
import { RunLedger, type RunRecord, readEvents, readFinishedSteps, readRuns } from "./run-ledger.ts";
import { emptyLedger, openDatabase, openDatabaseToRead, transaction } from "./schema.ts";
import { readJson, writeJson } from "./stored-json.ts";

/** Where a project folder keeps all that its runs recorded. */
export function ledgerFolder(folder: string): string {
  return join(folder, ".whetstone");
}

/** Under which fact the name of a run's newest report is kept. */
export function reportFact(run: string): string {
  return `report/${run}`;
}

function reportIn(fact: Json | undefined): string | undefined {
  const read = z.object({ report: z.string() }).safeParse(fact);
  return read.success ? read.data.report : undefined;
}

const databasePath = (folder: string): string => join(ledgerFolder(folder), "ledger.sqlite");

/** A project folder's append-only store: runs with their events and steps, artifacts, and which items the gate has used. */
export class Ledger implements Disposable {
  readonly #database: DatabaseSync;
  readonly #path: string;
  readonly #folder: string;
  readonly #clock: Clock;
  readonly #owner: Disposable;
  readonly artifacts: Artifacts;
  readonly lineage: Lineage;
  readonly answers: AnswerFiles;

  constructor(folder: string, clock: Clock) {
    this.#folder = ledgerFolder(folder);
    this.#path = databasePath(folder);
    this.#clock = clock;
    naming(this.#folder, () => mkdirSync(this.#folder, { recursive: true }));
    this.#owner = takeFolder(this.#folder, clock);
    this.artifacts = new Artifacts(join(this.#folder, "artifacts"));
    this.lineage = new Lineage(this.#folder, this.artifacts);
    this.answers = new AnswerFiles(this.#folder);
    try {
      this.artifacts.sweep();
      this.#sweepCheckpoints();
      this.#database = openDatabase(this.#path, { mayBeEmpty: !this.#leftSomething() });
    } catch (error) {
      this.#owner[Symbol.dispose]();
      throw error;
    }
  }

  /** Whether a run has saved weights or rows here: then an empty ledger has lost what it knew of them. */
  #leftSomething(): boolean {
    return ["checkpoints", "artifacts"].some((name) => {
      const path = join(this.#folder, name);
      return existsSync(path) && naming(path, () => readdirSync(path).length > 0);
    });
  }

  /** Clears away checkpoints that a killed writer left half-written. */
  #sweepCheckpoints(): void {
    const checkpoints = join(this.#folder, "checkpoints");
    if (!existsSync(checkpoints)) return;
    naming(checkpoints, () => {
      for (const name of readdirSync(checkpoints, { recursive: true, encoding: "utf8" }))
        if (/(?:^|[/\\])\.[^/\\]+\.writing$/.test(name))
          rmSync(join(checkpoints, name), { recursive: true, force: true });
    });
  }

  runs(): RunRecord[] {
    return readRuns(this.#database, this.#path);
  }

  startRun(options: Omit<RunRecord, "id" | "startedAt">): RunLedger {
    const { name, configHash, description, seed, origin } = options;
    naming(this.#path, () =>
      transaction(this.#database, () => {
        const number = Number(this.#database.prepare("SELECT count(*) AS n FROM runs").get()?.n) + 1;
        this.#database
          .prepare(
            "INSERT INTO runs (number, id, name, config_hash, description, seed, origin, started_at) VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
          )
          .run(
            number,
            `${number}-${slugOf(name)}`,
            name,
            configHash,
            writeJson("the run's description", description),
            seed,
            writeJson("the run's origin", origin),
            this.#clock.now(),
          );
      }),
    );
    return this.openRun(this.runs().at(-1) as RunRecord);
  }

  openRun(record: RunRecord): RunLedger {
    return new RunLedger({ database: this.#database, path: this.#path, clock: this.#clock, record });
  }

  /** Where the checkpoint of that name lies, or will. */
  checkpointPath(checkpoint: string): string {
    return join(this.#folder, "checkpoints", checkpoint);
  }

  /** Writes a copy of a certificate for people, and returns where it lies; what counts is its artifact. */
  writeCertificate(name: string, text: string): string {
    const folder = join(this.#folder, "certificates");
    const path = join(folder, name);
    naming(path, () => {
      mkdirSync(folder, { recursive: true });
      writeWholeSync(path, text);
    });
    return path;
  }

  /** Stores a run's report, in place of the one before it. Throws `no-space`, `folder-unwritable` or `disk-fault`. */
  async keepReport(run: string, page: string): Promise<void> {
    const before = this.getFact(reportFact(run));
    const reports = new Artifacts(join(this.#folder, "reports"));
    const report = await reports.putPage(page);
    this.setFact(reportFact(run), { report });
    const old = reportIn(before);
    if (old !== undefined && old !== report) await reports.remove(old, "html");
  }

  /** What {@link checkpointPath} makes a path of; another folder's path as it is. */
  checkpointName(path: string): string {
    const name = relative(this.checkpointPath(""), path);
    return name.startsWith("..") || isAbsolute(name) ? path : name.split(sep).join("/");
  }

  /** Something that outlives runs, such as which champion a name has come to. */
  getFact(key: string): Json | undefined {
    const row = naming(this.#path, () =>
      this.#database.prepare("SELECT value FROM facts WHERE key = ?").get(key),
    );
    return row === undefined ? undefined : readJson(row.value, this.#path);
  }

  setFact(key: string, value: Json): void {
    naming(this.#path, () =>
      this.#database
        .prepare(
          "INSERT INTO facts (key, value) VALUES (?, ?) ON CONFLICT (key) DO UPDATE SET value = excluded.value",
        )
        .run(key, writeJson(`the fact ${key}`, value)),
    );
  }

  deleteFact(key: string): void {
    naming(this.#path, () => this.#database.prepare("DELETE FROM facts WHERE key = ?").run(key));
  }

  /** The number of an opening on these decision items, from 1 over all runs of the folder; the same owner keeps its number. */
  openingNumber(items: string, owner: string): number {
    return naming(this.#path, () =>
      transaction(this.#database, () => {
        const known = this.#database
          .prepare("SELECT number FROM openings WHERE items = ? AND owner = ?")
          .get(items, owner);
        if (known !== undefined) return Number(known.number);
        const next = countOpenings(this.#database, items) + 1;
        this.#database
          .prepare("INSERT INTO openings (items, number, owner) VALUES (?, ?, ?)")
          .run(items, next, owner);
        return next;
      }),
    );
  }

  /** Openings on these decision items, in order, with their owners. */
  openingsOn(items: string): { readonly number: number; readonly owner: string }[] {
    return naming(this.#path, () =>
      this.#database
        .prepare("SELECT number, owner FROM openings WHERE items = ? ORDER BY number")
        .all(items)
        .map(({ number, owner }) => ({ number: Number(number), owner: String(owner) })),
    );
  }

  /** The number that {@link openingNumber} gives, or would give, this owner; none is given yet. */
  nextOpening(items: string, owner: string): number {
    return naming(this.#path, () => {
      const known = this.#database
        .prepare("SELECT number FROM openings WHERE items = ? AND owner = ?")
        .get(items, owner);
      return known === undefined ? countOpenings(this.#database, items) + 1 : Number(known.number);
    });
  }

  /** Canonical forms that other openings have used. */
  usedByOthers(items: string, owner: string): ReadonlySet<string> {
    return naming(this.#path, () => usedByOthers(this.#database, items, owner));
  }

  /** Marks decision items as used, before anything answers them. */
  useItems(items: string, owner: string, canonicals: readonly string[]): void {
    naming(this.#path, () =>
      transaction(this.#database, () => {
        const insert = this.#database.prepare(
          "INSERT OR IGNORE INTO used_items (items, canonical, owner) VALUES (?, ?, ?)",
        );
        for (const canonical of canonicals) insert.run(items, canonical, owner);
      }),
    );
  }

  [Symbol.dispose](): void {
    this.lineage[Symbol.dispose]();
    this.#database.close();
    this.#owner[Symbol.dispose]();
  }
}

/**
 * Opens a folder's ledger for the one process that runs there. Throws a user error `folder-in-use` that says who holds it,
 * `ledger-newer`, `ledger-foreign`, or an environment error `no-space`, `folder-unwritable`, `ledger-empty`, `ledger-corrupt` or
 * `disk-fault`.
 */
export function openLedger(options: { readonly folder: string; readonly clock?: Clock }): Ledger {
  return new Ledger(options.folder, options.clock ?? systemClock);
}

/** A ledger that is read beside whoever writes it. */
export interface LedgerReader extends Disposable {
  runs(): RunRecord[];
  /** A run's events, oldest first; only those after an event, where its id is given. */
  events(run: string, after?: number): StoredEvent[];
  /** Names of a run's finished steps that begin so, in the order in which they ended. */
  finishedSteps(run: string, beginning: string): string[];
  /** How many openings there were on these decision items, over all runs of the folder. */
  openings(items: string): number;
  /** A run without all that an interruption, or the clock, made of it: two that are equal in this are equal. */
  canonicalForm(run: string): CanonicalForm;
  /** Something that outlives runs. */
  getFact(key: string): Json | undefined;
  readonly artifacts: Pick<Artifacts, "read" | "pathOf">;
  /** Canonical forms that other openings have used. */
  usedByOthers(items: string, owner: string): ReadonlySet<string>;
  /** All that outlives runs and has a key that begins so. */
  facts(beginning: string): { readonly key: string; readonly value: Json }[];
  /** Every SHA-256 that stands anywhere in the ledger: what none of them names is referred to by nothing. */
  hashes(): ReadonlySet<string>;
  /** What the database finds wrong with its own pages, in its words; empty where they are whole. */
  faults(): string[];
  /** A run's events up to the first that cannot be read: what was stored before a damage. */
  readableEvents(run: string): StoredEvent[];
  /** Who runs in the folder now. */
  holder(): Holder | undefined;
}

const readerSchema = z.strictObject({
  folder: z
    .string()
    .min(1)
    .default(() => process.cwd()),
});

/**
 * Opens a folder's ledger to read, the current folder's if none is given; undefined where there is none yet, or whoever runs is
 * making it. Takes no lock, and may be open beside a run. Throws `ledger-newer`, `ledger-foreign`, `ledger-empty` and
 * `ledger-corrupt`.
 *
 * @example
 * using ledger = readLedger({ folder: "." });
 * for (const run of ledger?.runs() ?? []) console.log(run.id, ledger?.events(run.id).length);
 */
export function readLedger(options: { readonly folder?: string } = {}): LedgerReader | undefined {
  const { folder } = readOptions("readLedger()", readerSchema, options);
  const path = databasePath(folder);
  if (!existsSync(path)) return undefined;
  const held = holderOf(ledgerFolder(folder)) !== undefined;
  const database = openDatabaseToRead(path);
  if (database === undefined && held) return undefined;
  if (database === undefined) throw emptyLedger(path);
  return {
    runs: () => readRuns(database, path),
    events: (run, after) => readEvents(database, path, run, after),
    finishedSteps: (run, beginning) => readFinishedSteps(database, path, run, beginning),
    openings: (items) => naming(path, () => countOpenings(database, items)),
    canonicalForm: (run) => readCanonicalForm(database, path, run),
    facts: (beginning) =>
      naming(path, () =>
        database
          .prepare("SELECT key, value FROM facts WHERE substr(key, 1, length(?)) = ? ORDER BY key")
          .all(beginning, beginning)
          .map(({ key, value }) => ({ key: String(key), value: readJson(value, path) })),
      ),
    hashes: () => naming(path, () => hashesIn(database)),
    faults: () => faultsOf(database),
    readableEvents: (run) => readableEvents(database, path, run),
    getFact: (key) =>
      naming(path, () => {
        const row = database.prepare("SELECT value FROM facts WHERE key = ?").get(key);
        return row === undefined ? undefined : readJson(row.value, path);
      }),
    artifacts: new Artifacts(join(ledgerFolder(folder), "artifacts")),
    usedByOthers: (items, owner) => naming(path, () => usedByOthers(database, items, owner)),
    holder: () => holderOf(ledgerFolder(folder)),
    [Symbol.dispose]: () => database.close(),
  };
}

function usedByOthers(database: DatabaseSync, items: string, owner: string): ReadonlySet<string> {
  const rows = database
    .prepare("SELECT canonical FROM used_items WHERE items = ? AND owner <> ?")
    .all(items, owner);
  return new Set(rows.map(({ canonical }) => String(canonical)));
}

function countOpenings(database: DatabaseSync, items: string): number {
  return Number(database.prepare("SELECT count(*) AS n FROM openings WHERE items = ?").get(items)?.n);
}

function slugOf(name: string): string {
  const slug = name
    .toLowerCase()
    .replace(/[^a-z0-9]+/g, "-")
    .slice(0, 40)
    .replace(/^-|-$/g, "");
  return slug === "" ? "run" : slug;
}
