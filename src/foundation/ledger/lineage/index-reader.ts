import type { DatabaseSync } from "node:sqlite";
import { PackedRows, textNumber } from "./packed-rows.ts";
import { type ExampleOrigin, isRealOrigin, type TrainingHeader } from "./training-record.ts";

/** What a record learnt from one origin. */
export interface OriginShare {
  readonly origin: ExampleOrigin;
  /** Examples, how often all of them together were learnt from, and the tokens that this trained. */
  readonly examples: number;
  readonly times: number;
  readonly tokens: number;
  /** The first few, cut where they are long. */
  readonly samples: readonly { readonly id: string; readonly prompt: string; readonly answer: string }[];
}

/** An example of one origin, and where it was first met: the record, and which of its examples. */
export interface FoundExample {
  readonly id: string;
  readonly origin: ExampleOrigin;
  readonly originNumber: number;
  readonly artifact: string;
  readonly place: number;
}

/** Tokens that were trained, and those of them that no model wrote. */
export interface TokenCount {
  readonly tokens: number;
  readonly realTokens: number;
}

interface PackedRecord {
  readonly artifact: string;
  readonly header: unknown;
  readonly rows: PackedRows;
}

/** Asks an index. Throws what SQLite does, and a SyntaxError where a row is no JSON: the index is damaged then. */
export class IndexReader {
  readonly #database: DatabaseSync;
  #packed: readonly PackedRecord[] | undefined;

  constructor(database: DatabaseSync) {
    this.#database = database;
  }

  artifacts(): ReadonlySet<string> {
    return new Set(
      this.#database
        .prepare("SELECT artifact FROM records")
        .all()
        .map((row) => String(row.artifact)),
    );
  }

  /** Weights that a record names: those that were made, and those that were trained on. */
  checkpoints(): readonly string[] {
    return this.#database
      .prepare(
        "SELECT checkpoint FROM records UNION SELECT json_extract(header, '$.from') FROM records ORDER BY checkpoint",
      )
      .all()
      .map(({ checkpoint }) => String(checkpoint));
  }

  /** What the stretch of training was that ended in these weights. */
  headerOf(checkpoint: string): TrainingHeader | undefined {
    const row = this.#database.prepare("SELECT header FROM records WHERE checkpoint = ?").get(checkpoint);
    return row === undefined ? undefined : headerIn(row.header);
  }

  /** What stretches of training that ended in these weights learnt from, together: an example that several met counts once. */
  sharesOf(checkpoints: readonly string[]): OriginShare[] {
    const shares = new Map<number, OriginShare>();
    for (const checkpoint of checkpoints)
      for (const row of this.#database
        .prepare(
          "SELECT origins.number AS origin, key, shares.examples AS examples, times, tokens, samples FROM records JOIN shares ON record = records.number JOIN origins ON origins.number = origin WHERE checkpoint = ? ORDER BY origin",
        )
        .all(checkpoint)) {
        const known = shares.get(Number(row.origin));
        shares.set(Number(row.origin), {
          origin: JSON.parse(String(row.key)) as ExampleOrigin,
          examples: (known?.examples ?? 0) + Number(row.examples),
          times: (known?.times ?? 0) + Number(row.times),
          tokens: (known?.tokens ?? 0) + Number(row.tokens),
          samples: known?.samples ?? (JSON.parse(String(row.samples)) as OriginShare["samples"]),
        });
      }
    if (checkpoints.length === 1) return [...shares.values()];
    const met = this.#examplesMet(checkpoints);
    return [...shares].map(([origin, share]) => ({ ...share, examples: met.get(origin) ?? 0 }));
  }

  /** How many examples of each origin were met at least once. */
  #examplesMet(checkpoints: readonly string[]): Map<number, number> {
    const met = new Map<number, Set<number>>();
    for (const checkpoint of checkpoints) {
      const row = this.#database.prepare("SELECT examples FROM records WHERE checkpoint = ?").get(checkpoint);
      const rows = new PackedRows((row?.examples ?? new Uint8Array()) as Uint8Array);
      for (let place = 0; place < rows.length; place++) {
        const origin = rows.origin(place);
        const keys = met.get(origin) ?? new Set<number>();
        met.set(origin, keys.add(rows.key(place)));
      }
    }
    return new Map([...met].map(([origin, keys]) => [origin, keys.size]));
  }

  /** The pass that stored these rollouts. */
  passOf(rollouts: string): TrainingHeader | undefined {
    const row = this.#database.prepare("SELECT header FROM records WHERE rollouts = ? LIMIT 1").get(rollouts);
    return row === undefined ? undefined : headerIn(row.header);
  }

  /** What a round trained, over all of its roles. */
  roundOf(run: string, round: number): TokenCount {
    const rows = this.#database
      .prepare(
        "SELECT key, sum(tokens) AS tokens FROM shares JOIN records ON records.number = record JOIN origins ON origins.number = origin WHERE run = ? AND round = ? GROUP BY origin",
      )
      .all(run, round);
    return countOf(
      rows.map(({ key, tokens }) => ({
        origin: JSON.parse(String(key)) as ExampleOrigin,
        tokens: Number(tokens),
      })),
    );
  }

  /** Examples whose identity begins so, each origin of each; at most so many. */
  examplesOf(beginning: string, most: number): FoundExample[] {
    return this.#found((rows) => rows.placesOf(beginning), most).found;
  }

  /** Examples that may be of this prompt or answer, at most so many, and how many identities there are: a few others can share the text's number. */
  examplesWith(
    as: "prompt" | "answer",
    text: string,
    most: number,
  ): { readonly found: readonly FoundExample[]; readonly total: number } {
    const number = textNumber(text);
    return this.#found((rows) => rows.placesWith(as, number), most);
  }

  /** The trainings that learnt from an example of this origin, and how often. */
  usesOf({ id, originNumber }: FoundExample): { readonly header: TrainingHeader; readonly times: number }[] {
    return this.#records().flatMap(({ header, rows }) =>
      [...rows.placesOf(id)]
        .filter((place) => rows.origin(place) === originNumber)
        .map((place) => ({ header: headerIn(header), times: rows.times(place) })),
    );
  }

  #found(
    placesIn: (rows: PackedRows) => Iterable<number>,
    most: number,
  ): { readonly found: FoundExample[]; readonly total: number } {
    const found = new Map<string, FoundExample>();
    const seen = new Set<number>();
    for (const { artifact, rows } of this.#records())
      for (const place of placesIn(rows)) {
        seen.add(rows.key(place));
        if (found.size === most) continue;
        const [id, originNumber] = [rows.id(place), rows.origin(place)];
        const key = `${id}/${originNumber}`;
        if (found.has(key)) continue;
        found.set(key, { id, originNumber, origin: this.#origin(originNumber), artifact, place });
      }
    return { found: [...found.values()], total: seen.size };
  }

  /** All records, read once: 32 bytes an example. */
  #records(): readonly PackedRecord[] {
    this.#packed ??= this.#database
      .prepare("SELECT artifact, header, examples FROM records ORDER BY number")
      .all()
      .map(({ artifact, header, examples }) => ({
        artifact: String(artifact),
        header,
        rows: new PackedRows(examples as Uint8Array),
      }));
    return this.#packed;
  }

  #origin(number: number): ExampleOrigin {
    const row = this.#database.prepare("SELECT key FROM origins WHERE number = ?").get(number);
    return JSON.parse(String(row?.key)) as ExampleOrigin;
  }
}

/** Sums over origins. */
export function countOf(shares: readonly Pick<OriginShare, "origin" | "tokens">[]): TokenCount {
  let [tokens, realTokens] = [0, 0];
  for (const share of shares) {
    tokens += share.tokens;
    if (isRealOrigin(share.origin)) realTokens += share.tokens;
  }
  return { tokens, realTokens };
}

function headerIn(text: unknown): TrainingHeader {
  return JSON.parse(String(text)) as TrainingHeader;
}
