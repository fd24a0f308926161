import { existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { openProgressFile, readProgress } from "./progress-file.ts";

let folder: string;
let now: number;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "progress-file-"));
  mkdirSync(join(folder, ".whetstone"));
  now = 0;
  vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout"] });
});
afterEach(() => {
  vi.useRealTimers();
  rmSync(folder, { recursive: true });
});

const clock = { now: () => now, monotonic: () => now };
const at = (done: number) => ({
  after: 7,
  progress: { type: "progress", stage: "optimize", label: "train", done, total: 100 } as const,
});
const pass = (milliseconds: number): void => {
  now += milliseconds;
  vi.advanceTimersByTime(milliseconds);
};
const file = (): string => join(folder, ".whetstone", "progress.json");

test("is written at once, then at most once a second, and the last of a burst is not lost", () => {
  using progress = openProgressFile({ folder, clock });
  progress.write(at(1));
  expect(readProgress(folder)).toEqual(at(1));
  pass(200);
  progress.write(at(2));
  pass(200);
  progress.write(at(3));
  expect(readProgress(folder)).toEqual(at(1));
  pass(600);
  expect(readProgress(folder)).toEqual(at(3));
  pass(5000);
  progress.write(at(4));
  expect(readProgress(folder)).toEqual(at(4));
});

test("ends with its process, and what a dead one left is not taken for news", () => {
  {
    using progress = openProgressFile({ folder, clock });
    progress.write(at(1));
    progress.write(at(2));
  }
  pass(5000);
  expect(readdirSync(join(folder, ".whetstone"))).toEqual([]);
  writeFileSync(file(), JSON.stringify(at(50)));
  expect(readProgress(folder)).toEqual(at(50));
  using _next = openProgressFile({ folder, clock });
  expect(readProgress(folder)).toBeUndefined();
});

test.each(["", "{", "{}", '{"after":1,"progress":{"type":"progress"}}'])("%j is none", (text) => {
  writeFileSync(file(), text);
  expect(readProgress(folder)).toBeUndefined();
});

test("what cannot be written is not missed", () => {
  using progress = openProgressFile({ folder: join(folder, "nowhere"), clock });
  expect(() => progress.write(at(1))).not.toThrow();
  expect(existsSync(join(folder, "nowhere"))).toBe(false);
});
