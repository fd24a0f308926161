import { mkdirSync, readFileSync } from "node:fs";
import { basename, dirname, join } from "node:path";
import { pathToFileURL } from "node:url";
import { describe, expect, test } from "vitest";
import { randomStream } from "../../../foundation/base/index.ts";
import type { Verifier } from "../../../foundation/contract/index.ts";
import { runCanaries } from "../canaries.ts";
import { taskChecks } from "../conformance/task-checks.ts";
import { drawItems } from "../draw.ts";
import { enumerateItems } from "../items.ts";
import { splitOf } from "../splits.ts";
import { dataset, readDataset } from "./dataset.ts";
import { fileOf, sums } from "./testing/files.ts";

const line = (columns: object): string => JSON.stringify(columns);
const chats = new URL("./fixtures/chats.parquet", import.meta.url);

describe("a dataset", () => {
  test("is a task whose items are its lines", async () => {
    const task = await dataset({ file: fileOf("double.jsonl", sums(200)) });
    expect(task).toMatchObject({
      name: "double",
      version: 1,
      options: { rows: 200, sha256: expect.stringMatching(/^[0-9a-f]{64}$/) },
      difficulty: { unit: "kind", base: [1, 1], growTo: 1, measureTo: 1, ordered: false },
      characters: " +0123456789?Wahist",
    });
    const items = enumerateItems(task, 1);
    expect(items).toHaveLength(200);
    expect(items[7]).toEqual({
      canonical: "What is 7 + 7?",
      prompt: "What is 7 + 7?",
      answer: "14",
      difficulty: 1,
      stratum: "all",
      split: splitOf("double", 1, "What is 7 + 7?"),
      source: "double.jsonl:8",
    });
    const [all] = task.strata;
    const count = (split: string): number => items.filter((item) => item.split === split).length;
    expect(all).toEqual({
      name: "all",
      difficulty: 1,
      distinct: 200,
      weight: 200,
      splits: {
        train: count("train"),
        validation: count("validation"),
        decision: count("decision"),
        audit: count("audit"),
      },
    });
    const drawn = drawItems({
      task,
      difficulty: 1,
      split: "decision",
      count: count("decision"),
      random: randomStream(1, "draw"),
    });
    expect(new Set(drawn.map(({ canonical }) => canonical)).size).toBe(count("decision"));
  });

  test("with kinds has a stratum of each, in the file's order, and of those that name none", async () => {
    const kinds = ["sums", "words", undefined];
    const text = Array.from({ length: 300 }, (_, n) =>
      line({ prompt: `${n}`, answer: `${n % 20}`, kind: kinds[n % 3], id: `n${n}` }),
    );
    const task = await dataset({ file: fileOf("mixed.jsonl", text.join("\n")) });
    expect(task.strata.map(({ name, difficulty, weight }) => [name, difficulty, weight])).toEqual([
      ["sums", 1, 100],
      ["words", 2, 100],
      ["other", 3, 100],
    ]);
    expect(task.difficulty).toEqual({ unit: "kind", base: [1, 3], growTo: 3, measureTo: 3, ordered: false });
    expect(enumerateItems(task, 2)[0]).toMatchObject({ stratum: "words", source: "mixed.jsonl:2 n1" });
    expect(() => enumerateItems(task, 4)).toThrow(expect.objectContaining({ code: "no-such-stratum" }));
  });

  test("keeps each item's split when the file grows, is shuffled or moves; its name keys them", async () => {
    const splits = async (path: string, name?: string) => {
      const task = await dataset({ file: path, ...(name === undefined ? {} : { name }) });
      return new Map(enumerateItems(task, 1).map(({ canonical, split }) => [canonical, split]));
    };
    const before = await splits(fileOf("a.jsonl", sums(100)));
    const grown = await splits(fileOf("a.jsonl", sums(150).split("\n").reverse().join("\n")));
    for (const [canonical, split] of before) expect(grown.get(canonical)).toBe(split);
    const renamed = await splits(fileOf("b.jsonl", sums(100)));
    expect(renamed).not.toEqual(before);
    expect(await splits(fileOf("b.jsonl", sums(100)), "a")).toEqual(before);
  });

  test("of conversations shows a completion and checks the answer", async () => {
    const task = await dataset({ file: chats });
    expect(task.strata.map(({ name, distinct }) => [name, distinct])).toEqual([
      ["even", 30],
      ["odd", 30],
    ]);
    const [item] = enumerateItems(task, 1);
    expect(item).toMatchObject({
      prompt: "Name number 0, größer als -1.",
      messages: [
        { role: "system", content: "Answer with one word." },
        { role: "user", content: "Name number 0, größer als -1." },
      ],
      answer: "zahl-0",
      source: "chats.parquet:1",
    });
    expect(JSON.parse(item?.canonical ?? "")).toEqual([
      ["system", "Answer with one word."],
      ["user", "Name number 0, größer als -1."],
    ]);
  });

  test("demonstrates the completion, and gives a response room for the longest one", async () => {
    const rows = Array.from({ length: 100 }, (_, n) =>
      line({ prompt: `${n}?`, completion: `It is ${n}`, answer: `${n}` }),
    );
    const lastWord: Verifier = {
      name: "last word",
      version: 1,
      verify: ({ answer }, { text, complete }) => ({
        outcome: "scored",
        score: complete && text.split(" ").at(-1) === answer ? 1 : 0,
      }),
    };
    const file = fileOf("a.jsonl", rows.join("\n"));
    const task = await dataset({ file: pathToFileURL(file), verifier: lastWord });
    const [, second] = enumerateItems(task, 1);
    if (second === undefined) throw new Error("no item");
    expect([second.answer, task.demonstrate(second, randomStream(1, "x"))]).toEqual(["1", "It is 1"]);
    expect(task.maxTokens(second)).toBe(64);
    expect((await dataset({ file, verifier: lastWord, maxTokens: 5 })).maxTokens(second)).toBe(5);
    const { right, wrong } = await runCanaries(task);
    expect(right).toBeGreaterThanOrEqual(12);
    expect(wrong).toBeGreaterThanOrEqual(18);
  });

  test("has canaries that find a verifier that says yes, one that says no, and one that is turned round", async () => {
    const file = fileOf("a.jsonl", sums(100));
    const verifierOf = (score: (right: boolean) => number): Verifier => ({
      name: "odd",
      version: 1,
      verify: ({ answer }, { text, complete }) => ({
        outcome: "scored",
        score: score(complete && text === answer),
      }),
    });
    for (const score of [() => 1, () => 0, (right: boolean) => (right ? 0 : 1)]) {
      const task = await dataset({ file, verifier: verifierOf(score) });
      await expect(runCanaries(task)).rejects.toMatchObject({ code: "verifier-wrong" });
    }
    const task = await dataset({ file, verifier: verifierOf(Number) });
    await expect(runCanaries(task)).resolves.toEqual({ right: 6, wrong: 18 });
    for (const { item } of task.canaries()) expect(item.split).toBe("train");
  });

  test("keeps every promise of a task", async () => {
    for (const file of [fileOf("a.jsonl", sums(300)), chats])
      for (const { name, run } of taskChecks(await dataset({ file })))
        await expect(run(), name).resolves.toBeUndefined();
  });
});

describe("wrong rows", () => {
  const text = [
    line({ prompt: "1?", answer: "1" }),
    "{oops}",
    line({ prompt: "2?" }),
    line({ prompt: "1?", answer: "1" }),
    line({ prompt: " 1?  ", answer: "7" }),
    line({ prompt: "4?", answer: "\ud800" }),
    line({ prompt: "5?" }),
    line({ prompt: "é", answer: "1" }),
    line({ prompt: "e\u0301", answer: "1" }),
    sums(100),
  ].join("\n");

  test("are all counted before anything starts, and the first are named with line and reason", async () => {
    const error = await dataset({ file: fileOf("my.jsonl", text) }).catch((thrown: unknown) => thrown);
    expect(error).toMatchObject({
      code: "dataset-invalid",
      category: "user",
      details: {
        rows: 109,
        wrong: 7,
        "not-json": 1,
        "lacks-answer": 2,
        duplicate: 2,
        contradiction: 1,
        "not-unicode": 1,
      },
    });
    expect((error as Error).message.split("\n")).toEqual([
      "7 of the 109 rows of my.jsonl are wrong:",
      expect.stringMatching(/^ {2}my\.jsonl:2 is not JSON: /),
      "  my.jsonl:3 has no answer: it needs answer or completion or messages, and it has prompt",
      "  my.jsonl:4 repeats an earlier row: it says what row 1 says",
      '  my.jsonl:5 repeats an earlier prompt with another answer: row 1 answers "1", and it answers "7"',
      "  my.jsonl:6 holds text that is not Unicode: half of a surrogate pair stands alone, such as \\ud800",
      "  and 2 more. In all:",
      "  1 × is not JSON",
      "  2 × has no answer",
      "  2 × repeats an earlier row",
      "  1 × repeats an earlier prompt with another answer",
      "  1 × holds text that is not Unicode",
      "Mend them, or go on without them: skipInvalid: true in dataset(), --skip of `whetstone init`.",
    ]);
  });

  test("can be left out, and are then counted", async () => {
    const { task, rows, skipped } = await readDataset({ file: fileOf("my.jsonl", text), skipInvalid: true });
    expect([rows, skipped, task.options.rows]).toEqual([102, 7, 102]);
    await expect(dataset({ file: fileOf("b.jsonl", "{oops}") })).rejects.toThrow(
      /^The only row of b\.jsonl is wrong:\n/,
    );
    await expect(dataset({ file: fileOf("b.jsonl", "{oops}"), skipInvalid: true })).rejects.toMatchObject({
      code: "dataset-invalid",
    });
  });

  test("of 50 MB, and row groups with another schema, are among them", async () => {
    const long = line({ prompt: "long?", answer: "x".repeat(50 * 2 ** 20) });
    await expect(dataset({ file: fileOf("a.jsonl", `${sums(60)}\n${long}`) })).rejects.toMatchObject({
      details: { wrong: 1, "too-long": 1 },
      message: expect.stringMatching(
        /^1 of the 61 rows of a\.jsonl is wrong:\n {2}a\.jsonl:61 is longer than 8 MB\n/,
      ),
    });
    const bytes = readFileSync(new URL("./fixtures/sums.parquet", import.meta.url));
    const footer = bytes.length - 8 - bytes.readUInt32LE(bytes.length - 8);
    const named = [...bytes.toString("latin1").matchAll(/answer/g)].filter(({ index }) => index >= footer);
    bytes.write("anzwer", named[2]?.index ?? 0);
    await expect(dataset({ file: fileOf("a.parquet", bytes) })).rejects.toMatchObject({
      details: { rows: 60, wrong: 25, "other-schema": 25 },
      message: expect.stringContaining(
        "  a.parquet:26–50 (25 rows): each lies in a row group with another schema: row group 2 has no column answer\n",
      ),
    });
  });

  test("are those too whose answer the verifier cannot read", async () => {
    const verifier: Verifier = {
      name: "short",
      version: 1,
      faultOf: ({ answer = "" }) => (answer.length > 2 ? `${answer} is long` : undefined),
      verify: () => ({ outcome: "scored", score: 0 }),
    };
    await expect(dataset({ file: fileOf("a.jsonl", sums(60)), verifier })).rejects.toMatchObject({
      details: { wrong: 10, "answer-unusable": 10 },
      message: expect.stringContaining(
        "a.jsonl:51 has an answer that the verifier cannot compare with: 100 is long",
      ),
    });
  });
});

describe("a whole file is refused", () => {
  test.each<[string, string, string, RegExp]>([
    ["empty", "a.jsonl", "", /a\.jsonl is empty/],
    ["of empty lines", "a.jsonl", "\n\n \n", /a\.jsonl has no rows/],
    ["a first line alone", "a.csv", "prompt,answer\n", /a\.csv has no rows/],
    ["an empty list", "a.json", "[]", /a\.json has no rows/],
  ])("when it is %s", async (_, name, content, message) => {
    await expect(dataset({ file: fileOf(name, content) })).rejects.toMatchObject({
      code: "dataset-empty",
      message: expect.stringMatching(message),
    });
  });

  test("when it is missing, a folder, or of no known format", async () => {
    const path = fileOf("a.jsonl", sums(10));
    await expect(dataset({ file: join(dirname(path), "b.jsonl") })).rejects.toMatchObject({
      code: "dataset-missing",
    });
    await expect(dataset({ file: new URL("https://example.org/a.jsonl") })).rejects.toMatchObject({
      code: "dataset-missing",
      message: expect.stringContaining("is not a file on this machine"),
    });
    const folder = join(dirname(path), "c.jsonl");
    mkdirSync(folder);
    await expect(dataset({ file: folder })).rejects.toThrow(/c\.jsonl is a folder; name the file/);
    for (const [name, hint] of [
      ["a.jsnl", "did you mean .jsonl?"],
      ["a.xlsx", "it is one of .jsonl, .ndjson, .json, .csv, .tsv, .parquet."],
      ["a", "it is one of"],
      ["a.parquet.gz", "did you mean .parquet?"],
    ] as const)
      await expect(dataset({ file: fileOf(name, "x") })).rejects.toMatchObject({
        code: "dataset-format",
        message: expect.stringContaining(`${basename(name)} does not say its format: ${hint}`),
      });
  });

  test("when all its answers are the same, unless that is meant", async () => {
    const rows = Array.from({ length: 100 }, (_, n) =>
      line({ prompt: `${n}?`, answer: n % 2 ? "yes" : " yes" }),
    );
    const file = fileOf("a.jsonl", rows.join("\n"));
    await expect(dataset({ file })).rejects.toMatchObject({
      code: "dataset-one-answer",
      message: expect.stringMatching(
        /^All 100 answers of a\.jsonl are "yes"|" yes": a model that always says so/,
      ),
    });
    const task = await dataset({ file, oneAnswer: true });
    expect((await runCanaries(task)).right).toBeGreaterThan(0);
  });

  test("when a split is left without a row: then no gain can be shown", async () => {
    const error = await dataset({ file: fileOf("tiny.jsonl", sums(10)) }).catch((thrown: unknown) => thrown);
    expect(error).toMatchObject({ code: "dataset-too-small" });
    expect((error as Error).message).toMatch(
      /^tiny\.jsonl has 10 rows: \d to train on, \d to steer by, \d to decide by, \d to audit, and each needs one at least\. No gain can be shown with so few; about \d+ rows can show a large one, 500 one of about 16 points\.$/,
    );
  });

  test("when no usual verifier finds its answers in its completions", async () => {
    const row = (n: number) => ({ prompt: `${n}?`, completion: `It is word ${n}.`, answer: `word ${n}` });
    const rows = Array.from({ length: 100 }, (_, n) => line(row(n)));
    await expect(dataset({ file: fileOf("a.jsonl", rows.join("\n")) })).rejects.toMatchObject({
      code: "dataset-verifier",
      message: expect.stringMatching(
        /the verifier "exact" does not find the answer in the completion "It is word \d+\."/,
      ),
    });
    const numbers = rows.map((text) => text.replace(/"answer":"word /, '"answer":"'));
    await expect(dataset({ file: fileOf("a.jsonl", numbers.join("\n")) })).resolves.toMatchObject({
      verifier: { name: "numeric" },
    });
  });

  test("when it names more kinds than anyone can look at", async () => {
    const rows = Array.from({ length: 200 }, (_, n) =>
      line({ prompt: `${n}?`, answer: `${n}`, kind: `k${n}` }),
    );
    await expect(dataset({ file: fileOf("a.jsonl", rows.join("\n")) })).rejects.toMatchObject({
      code: "dataset-kinds",
      message: expect.stringContaining("a.jsonl names 200 kinds in its column kind, and 100 are the most"),
    });
  });

  test("with a wrong option before it is read", async () => {
    await expect(dataset({ fil: "a.jsonl" } as never)).rejects.toThrow(/file/);
    await expect(dataset({ file: "a.jsonl", columns: { promt: "x" } } as never)).rejects.toThrow(
      'there is no option "columns.promt"; did you mean "prompt"?',
    );
  });
});
