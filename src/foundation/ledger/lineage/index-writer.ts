import type { DatabaseSync, StatementSync } from "node:sqlite";
import type { TrainedExample } from "../../contract/index.ts";
import { transaction } from "../schema.ts";
import { textNumber } from "./text-number.ts";
import { originOf, type TrainingHeader } from "./training-record.ts";

/** Examples of an origin that are kept to be shown. */
const samplesKept = 3;

/** Characters of a prompt or an answer that are kept to be shown. */
const sampleLength = 160;

/** What a record learnt from one origin. */
interface Share {
  examples: number;
  times: number;
  tokens: number;
  readonly samples: { readonly id: string; readonly prompt: string; readonly answer: string }[];
}

/** Puts training records into an index, each whole or not at all. */
export class IndexWriter {
  readonly #database: DatabaseSync;
  readonly #statements: Readonly<
    Record<"origin" | "findOrigin" | "example" | "findExample" | "text", StatementSync>
  >;

  constructor(database: DatabaseSync) {
    this.#database = database;
    this.#statements = {
      origin: database.prepare("INSERT INTO origins (key) VALUES (?)"),
      findOrigin: database.prepare("SELECT number FROM origins WHERE key = ?"),
      example: database.prepare(
        "INSERT OR IGNORE INTO examples (id, origin, record, place) VALUES (?, ?, ?, ?)",
      ),
      findExample: database.prepare("SELECT number FROM examples WHERE id = ? AND origin = ?"),
      text: database.prepare("INSERT OR IGNORE INTO texts (text, example) VALUES (?, ?)"),
    };
  }

  /** What was done again under one name, as after a death between record and step, takes the place of what it was. */
  add(artifact: string, header: TrainingHeader, examples: readonly TrainedExample[]): void {
    transaction(this.#database, () => {
      const earlier = this.#database
        .prepare("SELECT number, artifact FROM records WHERE checkpoint = ?")
        .get(header.checkpoint);
      if (earlier?.artifact === artifact) return;
      if (earlier !== undefined) this.#remove(Number(earlier.number));
      const record = Number(
        this.#database
          .prepare(
            "INSERT INTO records (artifact, run, round, checkpoint, rollouts, header, uses) VALUES (?, ?, ?, ?, ?, ?, x'')",
          )
          .run(artifact, header.run, header.round, header.checkpoint, header.rollouts, JSON.stringify(header))
          .lastInsertRowid,
      );
      const uses = new Uint32Array(3 * examples.length);
      const shares = new Map<number, Share>();
      const origins = new Map<string, number>();
      for (const [place, example] of examples.entries()) {
        const origin = this.#origin(JSON.stringify(originOf(header, example)), origins);
        uses.set([this.#example(example, origin, record, place), origin, example.times], 3 * place);
        const share = shares.get(origin) ?? { examples: 0, times: 0, tokens: 0, samples: [] };
        shares.set(origin, share);
        share.examples += 1;
        share.times += example.times;
        share.tokens += example.times * example.tokens;
        if (share.samples.length < samplesKept) share.samples.push(sampleOf(example));
      }
      this.#database
        .prepare("UPDATE records SET uses = ? WHERE number = ?")
        .run(new Uint8Array(uses.buffer), record);
      const insert = this.#database.prepare(
        "INSERT INTO shares (record, origin, examples, times, tokens, samples) VALUES (?, ?, ?, ?, ?, ?)",
      );
      for (const [origin, { samples, ...share }] of shares)
        insert.run(record, origin, share.examples, share.times, share.tokens, JSON.stringify(samples));
    });
  }

  #origin(key: string, known: Map<string, number>): number {
    const { findOrigin, origin } = this.#statements;
    const number = known.get(key) ?? Number(findOrigin.get(key)?.number ?? origin.run(key).lastInsertRowid);
    known.set(key, number);
    return number;
  }

  #example({ id, prompt, answer }: TrainedExample, origin: number, record: number, place: number): number {
    const { example, findExample, text } = this.#statements;
    const bytes = Buffer.from(id, "hex");
    const { changes, lastInsertRowid } = example.run(bytes, origin, record, place);
    if (Number(changes) === 0) return Number(findExample.get(bytes, origin)?.number);
    const number = Number(lastInsertRowid);
    text.run(textNumber("prompt", prompt), number);
    text.run(textNumber("answer", answer), number);
    return number;
  }

  #remove(record: number): void {
    for (const statement of [
      "DELETE FROM texts WHERE example IN (SELECT number FROM examples WHERE record = ?)",
      "DELETE FROM examples WHERE record = ?",
      "DELETE FROM shares WHERE record = ?",
      "DELETE FROM records WHERE number = ?",
    ])
      this.#database.prepare(statement).run(record);
  }
}

function sampleOf({ id, prompt, answer }: TrainedExample): Share["samples"][number] {
  return { id, prompt: prompt.slice(0, sampleLength), answer: answer.slice(0, sampleLength) };
}
