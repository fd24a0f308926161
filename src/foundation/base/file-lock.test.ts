import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { isLocked, tryLockFile } from "./file-lock.ts";

let folder: string;
let path: string;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "lock-"));
  path = join(folder, "lock");
});
afterEach(() => rm(folder, { recursive: true, force: true }));

describe("tryLockFile", () => {
  test("is held once, and given back", () => {
    const first = tryLockFile(path);
    expect(first).toBeDefined();
    expect(tryLockFile(path)).toBeUndefined();
    expect(isLocked(path)).toBe(true);
    first?.[Symbol.dispose]();
    expect(isLocked(path)).toBe(false);
    using again = tryLockFile(path);
    expect(again).toBeDefined();
  });

  test("being looked at neither takes nor breaks it", () => {
    using held = tryLockFile(path);
    for (let look = 0; look < 20; look++) expect(isLocked(path)).toBe(true);
    expect(held).toBeDefined();
    expect(tryLockFile(path)).toBeUndefined();
  });

  test("is freed by the kernel when its holder is killed", async () => {
    const module = new URL("file-lock.ts", import.meta.url).href;
    const script = `const { tryLockFile } = await import(${JSON.stringify(module)});
      globalThis.lock = tryLockFile(${JSON.stringify(path)}); console.log("held"); setInterval(() => {}, 1000);`;
    const holder = spawn(process.execPath, ["--input-type=module", "--eval", script], {
      stdio: ["ignore", "pipe", "ignore"],
    });
    await once(holder.stdout, "data");
    expect(isLocked(path)).toBe(true);
    expect(tryLockFile(path)).toBeUndefined();
    holder.kill("SIGKILL");
    await once(holder, "exit");
    expect(isLocked(path)).toBe(false);
    using mine = tryLockFile(path);
    expect(mine).toBeDefined();
  });

  test("waits, if it is told to, while somebody looks", async () => {
    tryLockFile(path)?.[Symbol.dispose]();
    const script = `const { DatabaseSync } = await import("node:sqlite");
      const looking = new DatabaseSync(${JSON.stringify(path)}, { readOnly: true });
      looking.exec("BEGIN; SELECT count(*) FROM sqlite_master");
      console.log("looking"); process.stdin.on("data", () => setTimeout(() => looking.close(), 30));`;
    const looker = spawn(process.execPath, ["--input-type=module", "--eval", script], {
      stdio: ["pipe", "pipe", "ignore"],
    });
    await once(looker.stdout, "data");
    expect(tryLockFile(path)).toBeUndefined();
    looker.stdin.write("close");
    using lock = tryLockFile(path, 20_000);
    expect(lock).toBeDefined();
    looker.kill();
    await once(looker, "exit");
  });

  test("a folder that is not there is no held lock", () => {
    expect(() => tryLockFile(join(folder, "none", "lock"))).toThrow(/unable to open/);
  });
});
