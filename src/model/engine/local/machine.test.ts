import { mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { recordedMemory, shareOf } from "./machine.ts";

const gigabyte = 1e9;
let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "whetstone-machine-"));
});
afterAll(() => rm(folder, { recursive: true }));

test("what was found once is kept, until the machine is another", async () => {
  const cache = join(folder, "cache");
  expect(await recordedMemory(cache, 16 * gigabyte)).toBe(16 * gigabyte);
  expect(await recordedMemory(cache, 15.5 * gigabyte)).toBe(16 * gigabyte);
  expect(await recordedMemory(cache, 17 * gigabyte)).toBe(16 * gigabyte);
  expect(await recordedMemory(cache, 8 * gigabyte)).toBe(8 * gigabyte);
  expect(JSON.parse(await readFile(join(cache, "engine", "machine.json"), "utf8"))).toEqual({
    memoryBytes: 8 * gigabyte,
  });
  await writeFile(join(cache, "engine", "machine.json"), "{ half a");
  expect(await recordedMemory(cache, 4 * gigabyte)).toBe(4 * gigabyte);
  expect(await readdir(join(cache, "engine"))).toEqual(["machine.json"]);
});

test("this machine has memory", async () => {
  expect(await recordedMemory(join(folder, "here"))).toBeGreaterThan(5e8);
});

test("workers that compute at once share it, and a large machine's passes are no larger", () => {
  expect(shareOf(64 * gigabyte, 1)).toEqual({ memoryBytes: 57.6 * gigabyte, passBytes: 2.25 * 2 ** 30 });
  expect(shareOf(8 * gigabyte, 1).passBytes).toBe(gigabyte);
  expect(shareOf(8 * gigabyte, 4).passBytes).toBe(gigabyte / 4);
  expect(shareOf(16 * gigabyte, 4).memoryBytes).toBeCloseTo(3.6 * gigabyte, -1);
  // A process needs some to start at all.
  expect(shareOf(4 * gigabyte, 8).memoryBytes).toBe(2 ** 31);
});
