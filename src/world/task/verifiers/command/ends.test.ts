import { type ChildProcess, spawn } from "node:child_process";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { pathToFileURL } from "node:url";
import { afterAll, afterEach, describe, expect, test } from "vitest";
import type { Verifier } from "../../../../foundation/contract/index.ts";
import { ask, Commands, reply } from "./testing/commands.ts";

const commands = new Commands();
afterEach(() => commands.close());
afterAll(() => commands[Symbol.asyncDispose]());

describe("the end of a command", () => {
  const isAlive = (pid: number): boolean => {
    try {
      process.kill(pid, 0);
      return true;
    } catch {
      return false;
    }
  };
  const gone = async (pid: number): Promise<void> => {
    while (isAlive(pid)) await sleep(10);
  };
  const pidOf = async (verifier: Verifier): Promise<number> => {
    const verdict = await ask(verifier);
    return (verdict.outcome === "scored" && verdict.parts?.pid) || 0;
  };
  const withPid = "reply({ id: r.id, score: 1, parts: { pid: process.pid } });";

  test("comes with close(), and it may be used again afterwards", async () => {
    const verifier = commands.verifierOf(withPid);
    const first = await pidOf(verifier);
    await verifier.close?.();
    expect(isAlive(first)).toBe(false);
    const second = await pidOf(verifier);
    expect(second).not.toBe(first);
    await verifier.close?.();
    await verifier.close?.();
    expect(isAlive(second)).toBe(false);
  });

  test("comes with close() also where it does not mind that its input ends, and with all that it started", async () => {
    const verifier = commands.verifierOf(
      `const child = require("node:child_process").spawn("sleep", ["600"], { stdio: "inherit" }); reply({ id: r.id, score: 1, parts: { pid: process.pid, child: child.pid } });`,
      {},
      "setInterval(() => {}, 1000);",
    );
    const verdict = await ask(verifier);
    const parts = verdict.outcome === "scored" ? verdict.parts : {};
    await verifier.close?.();
    await gone(parts?.pid ?? 0);
    await gone(parts?.child ?? 0);
  });

  test("close() voids what was still asked", async () => {
    const verifier = commands.verifierOf("return;");
    const waiting = ask(verifier);
    await verifier.close?.();
    expect(await waiting).toEqual({ outcome: "void", reason: "the verifier was closed" });
  });

  test.each(["SIGKILL", "SIGTERM", undefined] as const)(
    "comes with its parent's (%s), though it ignores everything",
    async (signal) => {
      const source = pathToFileURL(join(import.meta.dirname, "..", "command.ts")).href;
      const stubborn = `process.on("SIGTERM", () => {}); process.stdin.on("end", () => {}); setInterval(() => {}, 1000); ${reply}
      process.stdin.once("data", (line) => { const r = JSON.parse(line); ${withPid} });`;
      const program = `import { command } from ${JSON.stringify(source)};
      const verifier = command({ command: [process.execPath, "-e", ${JSON.stringify(stubborn)}] });
      const item = { prompt: "", answer: "", stratum: "" };
      const verdict = await verifier.verify(item, { text: "", complete: true });
      console.log(verdict.parts.pid);
      ${signal === undefined ? "" : "setInterval(() => {}, 1000);"}`;
      const path = join(commands.folder, `parent-${signal}.mjs`);
      await writeFile(path, program);
      const parent: ChildProcess = spawn(process.execPath, [path], { stdio: ["ignore", "pipe", "inherit"] });
      const [line] = (await parent.stdout?.take(1).toArray()) ?? [];
      const pid = Number(String(line));
      expect(pid).toBeGreaterThan(0);
      if (signal !== undefined) {
        expect(isAlive(pid)).toBe(true);
        parent.kill(signal);
      }
      await gone(pid);
    },
  );
});
