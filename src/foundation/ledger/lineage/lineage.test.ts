import { mkdirSync, mkdtempSync, readdirSync, rmSync, statSync, truncateSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import type { TrainedExample } from "../../contract/index.ts";
import { type Ledger, openLedger, readLedger } from "../index.ts";
import { type LineageReader, readLineage } from "./read-lineage.ts";
import type { TrainingHeader } from "./training-record.ts";

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "whetstone-lineage-"));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

const indexFile = (): string => join(folder, ".whetstone/lineage.sqlite");
const idOf = (letter: string): string => letter.repeat(32);

function headerOf(checkpoint: string, rest: Partial<TrainingHeader> = {}): TrainingHeader {
  return {
    run: "1-run",
    round: 1,
    stage: "optimize",
    role: "solver",
    part: "pass-0",
    steps: [0, 2],
    checkpoint,
    from: "base",
    method: "method",
    reward: "verifier",
    task: { name: "reverse", version: 1 },
    verifier: { name: "exact answer", version: 1, hash: "f".repeat(64) },
    rollouts: "own",
    writers: { solver: "base" },
    ...rest,
  };
}

function exampleOf(letter: string, rest: Partial<TrainedExample> = {}): TrainedExample {
  const [prompt, answer] = [`${letter}=`, `answer ${letter}`];
  return {
    id: idOf(letter),
    times: 1,
    tokens: 3,
    item: letter,
    prompt,
    answer,
    source: "generator:reverse@1",
    writer: null,
    ...rest,
  };
}

const written = (rollout: number, artifact = "own"): TrainedExample["writer"] => ({
  role: "solver",
  sample: rollout,
  artifact,
  group: 0,
  rollout,
  stepsAfter: 0,
});

type Kept = readonly (readonly [TrainingHeader, readonly TrainedExample[]])[];

/** Records, named by the events of a run. */
async function keep(kept: Kept): Promise<string[]> {
  const names: string[] = [];
  using ledger: Ledger = openLedger({ folder });
  const run = ledger.startRun({ name: "run", configHash: "c", description: null, seed: 1, origin: null });
  for (const [header, examples] of kept) {
    const name = await ledger.lineage.record(header, examples);
    names.push(name);
    run.append(`round-${header.round}/${header.checkpoint}`, {
      type: "training-finished",
      round: header.round,
      checkpoint: header.checkpoint,
      evidence: {},
      lineage: [name],
    });
  }
  return names;
}

async function ask<T>(work: (lineage: LineageReader) => Promise<T> | T): Promise<T> {
  using ledger = readLedger({ folder });
  if (ledger === undefined) throw new Error("no ledger");
  return await readLineage(folder, ledger, async (lineage) => work(lineage));
}

const two: Kept = [
  [
    headerOf("one"),
    [
      exampleOf("a", { times: 4 }),
      exampleOf("b", { writer: written(0) }),
      exampleOf("c", { source: "rows.jsonl:7" }),
      exampleOf("d", { source: "rows.jsonl:8" }),
    ],
  ],
  [
    headerOf("two", { round: 2, from: "one", rollouts: "second" }),
    [
      exampleOf("b", { times: 2, writer: written(0) }),
      exampleOf("b", { writer: written(1, "second") }),
      exampleOf("a"),
    ],
  ],
];

/** All that the index says of these records. */
const everything = ({ index, unreadable }: LineageReader) => ({
  checkpoints: index.checkpoints(),
  one: index.sharesOf(["one"]),
  two: index.sharesOf(["two"]),
  rounds: [index.roundOf("1-run", 1), index.roundOf("1-run", 2)],
  b: index.examplesOf("bbbb", 9).map((found) => index.usesOf(found)),
  unreadable,
});

describe("lineage", () => {
  test("sums what a stretch of training learnt by where it came from", async () => {
    await keep(two);
    const { one, two: second, rounds } = await ask(everything);
    expect(one.map(({ origin, samples, ...sums }) => [origin.kind, origin.name, sums])).toEqual([
      ["demonstrations", "reverse@1", { examples: 1, times: 4, tokens: 12 }],
      ["answers", "reverse@1", { examples: 1, times: 1, tokens: 3 }],
      ["demonstrations", "rows.jsonl", { examples: 2, times: 2, tokens: 6 }],
    ]);
    expect(one[0]?.samples).toEqual([{ id: idOf("a"), prompt: "a=", answer: "answer a" }]);
    expect(second.map(({ origin, tokens }) => [origin.rollouts, tokens])).toEqual([
      [null, 3],
      ["own", 6],
      ["second", 3],
    ]);
    expect(rounds).toEqual([
      { tokens: 21, realTokens: 18 },
      { tokens: 12, realTokens: 3 },
    ]);
  });

  test("an example that several stretches met counts once among them", async () => {
    await keep(two);
    const shares = await ask(({ index }) => index.sharesOf(["one", "two"]));
    expect(shares.map(({ examples, times, tokens }) => [examples, times, tokens])).toEqual([
      [1, 5, 15],
      [1, 3, 9],
      [2, 2, 6],
      [1, 1, 3],
    ]);
  });

  test("finds examples by how their id begins, by answer and by prompt, and reads them from their records", async () => {
    await keep(two);
    const found = await ask(async ({ index, read }) => {
      const by = [
        index.examplesOf("bbbb", 9),
        index.examplesWith("answer", " answer b ", 9).found,
        index.examplesWith("prompt", "b=", 9).found,
      ];
      return Promise.all(by.map(read));
    });
    for (const rows of found)
      expect(rows).toEqual([
        exampleOf("b", { writer: written(0) }),
        exampleOf("b", { writer: written(1, "second") }),
      ]);
    const none = await ask(({ index }) => [
      index.examplesOf("bbbc", 9),
      index.examplesWith("answer", "b=", 9).found,
      index.examplesWith("answer", "answer b", 1).total,
    ]);
    expect(none).toEqual([[], [], 1]);
  });

  test("says into which weights an example was trained, and how often", async () => {
    await keep(two);
    const uses = await ask(({ index }) =>
      index
        .examplesOf(idOf("b"), 9)
        .map((found) => index.usesOf(found).map(({ header, times }) => [header.checkpoint, times])),
    );
    expect(uses).toEqual([
      [
        ["one", 1],
        ["two", 2],
      ],
      [["two", 1]],
    ]);
  });

  test("what was done again takes the place of what it was", async () => {
    const again: Kept[number] = [
      headerOf("two", { round: 2, from: "one", rollouts: "third" }),
      [exampleOf("e", { times: 5 })],
    ];
    {
      // As after a death between the record and the step that names it.
      using ledger = openLedger({ folder });
      for (const [header, examples] of two) await ledger.lineage.record(header, examples);
    }
    await keep([...two.slice(0, 1), again]);
    const { index, e, answer } = await ask(({ index: asked }) => ({
      index: asked.sharesOf(["two"]).map(({ times }) => times),
      e: asked.examplesOf("eeee", 9).length,
      answer: asked.roundOf("1-run", 2),
    }));
    expect([index, e, answer]).toEqual([[5], 1, { tokens: 15, realTokens: 15 }]);
  });
});

describe("the index", () => {
  test.each<[string, () => void]>([
    ["is missing", () => rmSync(indexFile())],
    ["is no database", () => writeFileSync(indexFile(), "not a database".repeat(1000))],
    ["is cut off", () => truncateSync(indexFile(), Math.floor(statSync(indexFile()).size / 2))],
    ["is empty", () => writeFileSync(indexFile(), "")],
    [
      "is of another version",
      () => {
        using database = new DatabaseSync(indexFile());
        database.exec("PRAGMA user_version = 99; DROP TABLE shares; CREATE TABLE other (x)");
      },
    ],
    [
      "lacks a table",
      () => {
        using database = new DatabaseSync(indexFile());
        database.exec("DROP TABLE shares");
      },
    ],
    [
      "holds what is no JSON",
      () => {
        using database = new DatabaseSync(indexFile());
        database.exec("UPDATE records SET header = '{'");
      },
    ],
    [
      "lacks a record",
      () => {
        using database = new DatabaseSync(indexFile());
        database.exec("DELETE FROM records WHERE checkpoint = 'two'; DELETE FROM shares WHERE record = 2");
      },
    ],
  ])("is made again from the artifacts where it %s", async (_, damage) => {
    await keep(two);
    const whole = await ask(everything);
    damage();
    expect(await ask(everything)).toEqual(whole);
    expect(await ask(everything)).toEqual(whole);
  });

  test("is not needed by whoever records: what could not be indexed then is found later", async () => {
    await keep(two);
    const whole = await ask(everything);
    rmSync(folder, { recursive: true });
    // A folder in its place cannot be opened, nor taken away as a file.
    mkdirSync(indexFile(), { recursive: true });
    writeFileSync(join(indexFile(), "in the way"), "");
    const names = await keep(two);
    expect(readdirSync(join(folder, ".whetstone/artifacts")).sort()).toEqual(
      names.map((name) => `${name}.jsonl`).sort(),
    );
    expect(await ask(everything)).toEqual(whole);
    rmSync(indexFile(), { recursive: true });
    expect(await ask(everything)).toEqual(whole);
  });

  test("says which records cannot be read, and knows the others", async () => {
    const [first = "", second = ""] = await keep(two);
    rmSync(indexFile());
    truncateSync(join(folder, `.whetstone/artifacts/${first}.jsonl`), 100);
    const { checkpoints, one, unreadable } = await ask(everything);
    expect(checkpoints).toEqual(["one", "two"]);
    expect(one).toEqual([]);
    expect(unreadable).toEqual([expect.stringContaining(`${first}.jsonl does not hold what was written`)]);
    rmSync(join(folder, `.whetstone/artifacts/${second}.jsonl`));
    await expect(ask(({ index, read }) => read(index.examplesOf("bbbb", 1)))).rejects.toThrow(
      expect.objectContaining({ code: "artifact-missing" }),
    );
  });
});
