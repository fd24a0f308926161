import type { DatabaseSync } from "node:sqlite";
import { textNumber } from "./text-number.ts";
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
  readonly number: number;
  readonly id: string;
  readonly origin: ExampleOrigin;
  readonly artifact: string;
  readonly place: number;
}

/** Tokens that were trained, and those of them that no model wrote. */
export interface TokenCount {
  readonly tokens: number;
  readonly realTokens: number;
}

/** Asks an index. Throws what SQLite does, and a SyntaxError where a row is no JSON: the index is damaged then. */
export class IndexReader {
  readonly #database: DatabaseSync;

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
          "SELECT origins.number AS origin, key, examples, times, tokens, samples FROM records JOIN shares ON record = records.number JOIN origins ON origins.number = origin WHERE checkpoint = ? ORDER BY origin",
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
    const seen = new Set<number>();
    const met = new Map<number, number>();
    for (const checkpoint of checkpoints) {
      const row = this.#database.prepare("SELECT uses FROM records WHERE checkpoint = ?").get(checkpoint);
      const numbers = numbersIn((row?.uses ?? new Uint8Array()) as Uint8Array);
      for (let at = 0; at < numbers.length; at += 3) {
        const [example, origin] = [numbers[at] as number, numbers[at + 1] as number];
        if (seen.has(example)) continue;
        seen.add(example);
        met.set(origin, (met.get(origin) ?? 0) + 1);
      }
    }
    return met;
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

  /** Examples whose identity begins so, in its order; at most so many. */
  examplesOf(beginning: string, most: number): FoundExample[] {
    const low = Buffer.from(beginning.padEnd(32, "0"), "hex");
    const high = Buffer.from(beginning.padEnd(32, "f"), "hex");
    return this.#found("WHERE id BETWEEN ? AND ? ORDER BY id, examples.number LIMIT ?", [low, high, most]);
  }

  /** Examples that may be of this prompt or answer: a few others can share its number. */
  examplesWith(as: "prompt" | "answer", text: string, most: number): FoundExample[] {
    return this.#found(
      "WHERE examples.number IN (SELECT example FROM texts WHERE text = ? ORDER BY example LIMIT ?) ORDER BY examples.number",
      [textNumber(as, text), most],
    );
  }

  /** How many examples have this prompt or answer, nearly. */
  countWith(as: "prompt" | "answer", text: string): number {
    return Number(
      this.#database.prepare("SELECT count(*) AS n FROM texts WHERE text = ?").get(textNumber(as, text))?.n,
    );
  }

  /** The trainings that learnt from an example, and how often. */
  usesOf(example: number): { readonly header: TrainingHeader; readonly times: number }[] {
    const rows = this.#database.prepare("SELECT header, uses FROM records ORDER BY number").iterate();
    const found: { header: TrainingHeader; times: number }[] = [];
    for (const { header, uses } of rows) {
      const numbers = numbersIn(uses as Uint8Array);
      for (let at = 0; at < numbers.length; at += 3)
        if (numbers[at] === example)
          found.push({ header: headerIn(header), times: numbers[at + 2] as number });
    }
    return found;
  }

  #found(where: string, values: readonly (string | number | Uint8Array)[]): FoundExample[] {
    return this.#database
      .prepare(
        `SELECT examples.number AS number, id, key, artifact, place FROM examples JOIN origins ON origins.number = origin JOIN records ON records.number = record ${where}`,
      )
      .all(...values)
      .map(({ number, id, key, artifact, place }) => ({
        number: Number(number),
        id: Buffer.from(id as Uint8Array).toString("hex"),
        origin: JSON.parse(String(key)) as ExampleOrigin,
        artifact: String(artifact),
        place: Number(place),
      }));
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

/** Numbers begin at a multiple of four bytes: a copy does. */
function numbersIn(bytes: Uint8Array): Uint32Array {
  const { buffer, byteOffset, byteLength } = bytes.byteOffset % 4 === 0 ? bytes : bytes.slice();
  return new Uint32Array(buffer, byteOffset, byteLength >> 2);
}
