import type { DatabaseSync } from "node:sqlite";
import type { TrainedExample } from "../../contract/index.ts";
import { transaction } from "../schema.ts";
import { packRows } from "./packed-rows.ts";
import { originOf, type TrainingHeader } from "./training-record.ts";

/** Examples of an origin that are kept to be shown. */
const samplesKept = 3;

/** Characters of a prompt or an answer that are kept to be shown. */
const sampleLength = 160;

/** What a record learnt from one origin. */
interface Share {
  readonly origin: number;
  examples: number;
  times: number;
  tokens: number;
  readonly samples: { readonly id: string; readonly prompt: string; readonly answer: string }[];
}

/** Puts a training record into an index, whole or not at all. What was done again under one name takes the place of what it was. */
export function addRecord(
  database: DatabaseSync,
  artifact: string,
  header: TrainingHeader,
  examples: readonly TrainedExample[],
): void {
  transaction(database, () => {
    const earlier = database
      .prepare("SELECT number, artifact FROM records WHERE checkpoint = ?")
      .get(header.checkpoint);
    if (earlier?.artifact === artifact) return;
    if (earlier !== undefined) {
      database.prepare("DELETE FROM shares WHERE record = ?").run(Number(earlier.number));
      database.prepare("DELETE FROM records WHERE number = ?").run(Number(earlier.number));
    }
    const shares = new Shares(database, header);
    const packed = packRows(examples, (example) => shares.add(example));
    const { lastInsertRowid } = database
      .prepare(
        "INSERT INTO records (artifact, run, round, checkpoint, rollouts, header, examples) VALUES (?, ?, ?, ?, ?, ?, ?)",
      )
      .run(
        artifact,
        header.run,
        header.round,
        header.checkpoint,
        header.rollouts,
        JSON.stringify(header),
        packed,
      );
    shares.store(Number(lastInsertRowid));
  });
}

/** Sums a record by origin. */
class Shares {
  readonly #database: DatabaseSync;
  readonly #header: TrainingHeader;
  readonly #byOrigin = new Map<string, Share>();
  /** The same by what an example itself says of its origin, which is quicker to tell. */
  readonly #byPlace = new Map<string, Share>();

  constructor(database: DatabaseSync, header: TrainingHeader) {
    this.#database = database;
    this.#header = header;
  }

  /** Counts an example, and returns its origin's number. */
  add(example: TrainedExample): number {
    const share = this.#shareOf(example);
    share.examples += 1;
    share.times += example.times;
    share.tokens += example.times * example.tokens;
    if (share.samples.length < samplesKept) share.samples.push(sampleOf(example));
    return share.origin;
  }

  store(record: number): void {
    const insert = this.#database.prepare(
      "INSERT INTO shares (record, origin, examples, times, tokens, samples) VALUES (?, ?, ?, ?, ?, ?)",
    );
    for (const { origin, examples, times, tokens, samples } of this.#byOrigin.values())
      insert.run(record, origin, examples, times, tokens, JSON.stringify(samples));
  }

  #shareOf(example: TrainedExample): Share {
    const { source, writer } = example;
    const place = writer === null ? source : `${writer.role}\0${writer.artifact}\0${source}`;
    const known = this.#byPlace.get(place);
    if (known !== undefined) return known;
    const key = JSON.stringify(originOf(this.#header, example));
    const share = this.#byOrigin.get(key) ?? this.#newShare(key);
    this.#byOrigin.set(key, share);
    this.#byPlace.set(place, share);
    return share;
  }

  #newShare(key: string): Share {
    const known = this.#database.prepare("SELECT number FROM origins WHERE key = ?").get(key)?.number;
    const origin =
      known ?? this.#database.prepare("INSERT INTO origins (key) VALUES (?)").run(key).lastInsertRowid;
    return { origin: Number(origin), examples: 0, times: 0, tokens: 0, samples: [] };
  }
}

function sampleOf({ id, prompt, answer }: TrainedExample): Share["samples"][number] {
  return { id, prompt: prompt.slice(0, sampleLength), answer: answer.slice(0, sampleLength) };
}
