import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { afterAll, beforeAll, expect, test } from "vitest";
import { tabular } from "../../model/engine/tabular/index.ts";
import { run } from "../run.ts";
import { openChat } from "./chat.ts";
import { rollback } from "./rollback.ts";
import { promotingRun } from "./testing/last-letter.ts";

let folder: string;
beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), "chat-"));
  await run(promotingRun(2), { folder });
});
afterAll(() => rmSync(folder, { recursive: true }));

test("champion and base answer, beside whoever runs, and the ledger stays as it is", async () => {
  const path = join(folder, ".whetstone/ledger.sqlite");
  const before = readFileSync(path);
  await using chat = await openChat({ folder, maxTokens: 8 });
  expect(chat).toMatchObject({
    run: "1-letters",
    conversational: false,
    example: expect.stringMatching(/^\d+=$/),
  });
  const answers = await chat.ask("01234=");
  expect(answers.map(({ of, round, text, complete }) => [of, round, text, complete])).toEqual([
    ["champion", 2, "4", true],
    ["base", 0, expect.any(String), expect.any(Boolean)],
  ]);
  await expect(chat.ask("x")).rejects.toMatchObject({ code: "text-not-in-vocabulary" });
  expect(readFileSync(path).equals(before)).toBe(true);
});

test("weights that are the same answer once; options are checked", async () => {
  await using chat = await openChat({ folder, of: ["champion", "candidate", 2, 1] });
  expect(chat.models.map(({ of, also }) => [of, also])).toEqual([
    ["champion", ["candidate", 2]],
    [1, []],
  ]);
  await expect(openChat({ folder, temperature: -1 })).rejects.toMatchObject({ code: "invalid-option" });
  await expect(openChat({ folder, of: [9] })).rejects.toMatchObject({ code: "no-weights" });
  await expect(openChat({ folder, run: "2-letters" })).rejects.toMatchObject({ code: "no-run" });
});

test("weights that are not those that were saved do not answer", async () => {
  await using chat = await openChat({ folder, of: ["champion"] });
  const file = join(folder, ".whetstone/checkpoints", chat.models[0]?.checkpoint ?? "", "table.safetensors");
  const before = readFileSync(file);
  const damaged = Buffer.from(before);
  damaged[before.length - 1] = (damaged.at(-1) ?? 0) ^ 1;
  writeFileSync(file, damaged);
  await expect(openChat({ folder })).rejects.toMatchObject({ code: "checkpoint-damaged", category: "user" });
  // The base's are whole.
  await using other = await openChat({ folder, of: ["base"] });
  expect(other.models).toHaveLength(1);
  writeFileSync(file, before);
});

test("a champion that was taken back is the one that answers", async () => {
  await rollback({ folder, to: 1 });
  await using chat = await openChat({ folder });
  expect(chat.models[0]).toMatchObject({ of: "champion", round: 1 });
});

test("an engine that Whetstone does not bring is named, and may be given", async () => {
  const database = new DatabaseSync(join(folder, ".whetstone/ledger.sqlite"));
  database.exec("UPDATE runs SET description = json_set(description, '$.engine.name', 'mine')");
  database.close();
  await expect(openChat({ folder })).rejects.toMatchObject({ code: "unknown-engine" });
  const engine = tabular({ horizon: 2, backOff: 2 });
  await using chat = await openChat({ folder, engine, maxTokens: 4 });
  expect((await chat.ask("01234="))[0]?.text).toBe("4");
});
