import { beforeAll, describe, expect, test } from "vitest";
import { isWhetstoneError } from "../../../foundation/base/index.ts";
import type { Task } from "../../../foundation/contract/index.ts";
import { dataset } from "../dataset/index.ts";
import { fileOf, sums } from "../dataset/testing/files.ts";
import { taskChecks } from "./task-checks.ts";

let sound: Task;
beforeAll(async () => {
  sound = await dataset({ file: fileOf("sums.jsonl", sums(300)) });
});

async function failures(task: Task): Promise<Map<string, string>> {
  const failed = new Map<string, string>();
  for (const { name, run } of taskChecks(task))
    await run().catch((error: unknown) =>
      failed.set(name, isWhetstoneError(error) ? error.message : `${error}`),
    );
  return failed;
}

const check = "listed strata list what can be drawn, and what each split holds";

describe("a task of listed items", () => {
  test("keeps every promise", async () => {
    expect(await failures({ ...sound })).toEqual(new Map());
  });

  test.each<[string, (task: Task) => Partial<Task>, RegExp]>([
    [
      "lists fewer than it says",
      ({ strata }) => ({ strata: strata.map((stratum) => ({ ...stratum, distinct: 301 })) }),
      /all says 301 distinct items and lists 300, 300 of them distinct/,
    ],
    [
      "lists one twice",
      (task) => ({
        enumerate: (at) =>
          [...task.enumerate(at)].map((one, index, all) => (index === 0 ? (all[1] ?? one) : one)),
      }),
      /all says 300 distinct items and lists 300, 299 of them distinct/,
    ],
    [
      "counts its splits wrong",
      ({ strata }) => ({
        strata: strata.map((stratum) => ({
          ...stratum,
          splits: { train: 150, validation: 30, decision: 75, audit: 45 },
        })),
      }),
      /all says \d+ \w+ items and lists \d+/,
    ],
    [
      "draws what it does not list",
      (task) => ({ generate: (at, random) => ({ ...task.generate(at, random), prompt: "What is it?" }) }),
      /all does not list "What is it\?", which is drawn/,
    ],
  ])("fails the check for them when it %s", async (_, change, says) => {
    expect((await failures({ ...sound, ...change(sound) })).get(check)).toMatch(says);
  });

  test("fails when its characters lack one of an earlier message", async () => {
    const chats = await dataset({ file: new URL("../dataset/fixtures/chats.parquet", import.meta.url) });
    const failed = await failures({ ...chats, characters: chats.characters.replace("A", "") });
    expect([...failed.keys()]).toEqual(["characters cover prompts and demonstrations"]);
  });
});
