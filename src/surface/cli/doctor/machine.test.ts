import { mkdtempSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { coresCheck, memoryCheck, roomCheck, writableCheck } from "./machine.ts";

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "whetstone-doctor-test-"));
});
afterEach(() => rmSync(folder, { recursive: true }));

test("cores and memory: enough, little, too little", () => {
  expect([coresCheck(1), coresCheck(2)].map(({ state }) => state)).toEqual(["warn", "ok"]);
  expect([memoryCheck(5e8), memoryCheck(1.5e9), memoryCheck(8e9)]).toMatchObject([
    { state: "fail", found: "0.5 GB", advice: expect.stringContaining("1 GB") },
    { state: "warn" },
    { state: "ok", found: "8.0 GB" },
  ]);
});

test("a folder that is not there yet is judged by the one above it, and nothing is left behind", async () => {
  const wanted = join(folder, "a", "b");
  expect(await writableCheck("cache", wanted, "Choose another.")).toEqual({
    name: "cache",
    state: "ok",
    found: wanted,
  });
  expect(readdirSync(folder)).toEqual([]);
});

test("a folder where nothing can be written fails with its advice", async () => {
  // /proc refuses even root.
  const check = await writableCheck("cache", "/proc/self", "Choose another.");
  expect(check).toMatchObject({ state: "fail", advice: "Choose another." });
});

test("room: enough, little, too little", async () => {
  const room = (least: number, easy: number) =>
    roomCheck("room", folder, { least, easy, what: "It takes much" });
  expect(await room(0, 0)).toMatchObject({
    state: "ok",
    found: expect.stringMatching(/GB free on the disk of /),
  });
  expect(await room(0, 1e18)).toMatchObject({
    state: "warn",
    advice: "It takes much; free some space there.",
  });
  expect(await room(1e18, 1e18)).toMatchObject({ state: "fail" });
});
