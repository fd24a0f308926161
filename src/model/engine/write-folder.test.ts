import { readdirSync, readFileSync } from "node:fs";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join, relative } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { writeFolder } from "./write-folder.ts";

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "whetstone-write-"));
});
afterEach(() => rm(folder, { recursive: true }));

describe("writeFolder", () => {
  test("writes all files, making the folders above, and leaves nothing else", () => {
    const path = join(folder, "a", "b");
    expect(writeFolder(path, { "one.txt": "é", "two.bin": Uint8Array.of(1, 2) })).toBe(4);
    expect(readFileSync(join(path, "one.txt"), "utf8")).toBe("é");
    expect([...readFileSync(join(path, "two.bin"))]).toEqual([1, 2]);
    expect(readdirSync(join(folder, "a"))).toEqual(["b"]);
  });

  test("never touches a folder that exists", () => {
    const path = join(folder, "there");
    writeFolder(path, { "one.txt": "1" });
    expect(() => writeFolder(path, { "one.txt": "2" })).toThrow(
      expect.objectContaining({ code: "save-exists", category: "user" }),
    );
    expect(readFileSync(join(path, "one.txt"), "utf8")).toBe("1");
  });

  test("takes back what it wrote when it cannot finish", () => {
    const path = join(folder, "new");
    expect(() => writeFolder(path, { "one.txt": "1", "no/such/folder": "2" })).toThrow(
      expect.objectContaining({ code: "file-unreadable", category: "environment" }),
    );
    expect(readdirSync(folder)).toEqual([]);
  });

  test("names a full disk", () => {
    // The kernel's own full device stands in for the disk.
    const path = join(folder, "full");
    const temporary = /^\.full\..*\.writing$/;
    expect(() => writeFolder(path, { [relative(join(folder, "in"), "/dev/full")]: "1" })).toThrow(
      expect.objectContaining({ code: "no-space", category: "environment" }),
    );
    expect(readdirSync(folder).some((name) => temporary.test(name))).toBe(false);
  });
});
