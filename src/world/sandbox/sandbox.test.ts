import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { runSandboxed, type SandboxRequest, sandboxMissing } from "./index.ts";
import { installSandbox } from "./testing/install-sandbox.ts";

const node = (program: string, rest: Partial<SandboxRequest> = {}) =>
  runSandboxed({
    interpreter: process.execPath,
    arguments: ["-e", program],
    seconds: 20,
    megabytes: 512,
    ...rest,
  });
const shell = (program: string, rest: Partial<SandboxRequest> = {}) =>
  runSandboxed({ interpreter: "/bin/sh", arguments: ["-c", program], seconds: 20, megabytes: 256, ...rest });
const outputOf = async (running: ReturnType<typeof node>): Promise<string> => {
  const result = await running;
  if (result.outcome !== "ended") throw new Error(`it reached the limit of ${result.limit}`);
  return result.output;
};

/** Of a process that may have ended meanwhile. */
const commandOf = (id: string): string => {
  try {
    return readFileSync(`/proc/${id}/cmdline`, "utf8");
  } catch {
    return "";
  }
};

let folder: string;
beforeAll(() => {
  installSandbox();
  folder = mkdtempSync(join(tmpdir(), "sandbox-"));
  writeFileSync(join(folder, "secret"), "a secret");
}, 300_000);
afterAll(() => rmSync(folder, { recursive: true, force: true }));

describe("a program in the sandbox", () => {
  test("reads its input, writes its output, and ends with its code", async () => {
    const result = await node(
      'process.stdin.on("data", (text) => { console.log(String(text).length); console.error("e"); process.exitCode = 3; })',
      {
        input: "four",
      },
    );
    expect(result).toEqual({ outcome: "ended", code: 3, output: "4\n", errors: "e\n" });
  });

  test("may leave its input unread", async () => {
    expect(await outputOf(shell("echo done", { input: "x".repeat(1e6) }))).toBe("done\n");
  });

  test("sees no file of this machine, and can write none that lasts", async () => {
    const look = `cat ${join(folder, "secret")}; ls ${folder}; ls /root /home /etc /work; echo x > /usr/x; echo kept > /tmp/own; cat /tmp/own`;
    expect(await outputOf(shell(`(${look}) 2>/dev/null`))).toBe("kept\n");
  });

  test("has no network, no variables of ours, and is nobody", async () => {
    process.env.WHETSTONE_TEST_SECRET = "a secret";
    const look = `const net = require("os").networkInterfaces(); console.log(Object.keys(net).join(), process.env.WHETSTONE_TEST_SECRET, process.getuid() === 0)`;
    expect(await outputOf(node(look))).toMatch(/^(lo)? undefined false\n$/);
    delete process.env.WHETSTONE_TEST_SECRET;
  });

  test("sees no other process", async () => {
    const seen = await outputOf(shell("ls /proc | grep -c '^[0-9]'"));
    expect(Number(seen)).toBeLessThan(8);
  });

  test("is ended when its time is over, with all that it started", async () => {
    const mark = `sandbox-${process.pid}-${Date.now()}`;
    const started = Date.now();
    const result = await shell(
      `sh -c 'while true; do sleep 0.1; done # ${mark}' & while true; do sleep 1; done`,
      { seconds: 1 },
    );
    expect(result).toEqual({ outcome: "limit", limit: "time" });
    const alive = readdirSync("/proc").filter((id) => /^\d+$/.test(id) && commandOf(id).includes(mark));
    expect(alive).toEqual([]);
    expect(Date.now() - started).toBeLessThan(10_000);
  });

  test("cannot fill the machine with processes, memory or output", async () => {
    const forks = await shell("i=0; while [ $i -lt 200 ]; do sleep 5 & i=$((i+1)); done; echo all", {
      seconds: 15,
    });
    expect(forks.outcome === "ended" && forks.output.includes("all")).toBe(false);
    const hoard = "const held = []; setInterval(() => held.push(Buffer.alloc(1 << 24, 1)), 5)";
    expect(await node(hoard, { megabytes: 256 })).toEqual({ outcome: "limit", limit: "memory" });
    expect(await shell("yes", { outputBytes: 1e5 })).toEqual({ outcome: "limit", limit: "output" });
    const disk = await shell("head -c 100000000 /dev/zero > /tmp/big || echo refused");
    expect(disk.outcome === "ended" && disk.output !== "" ? disk.output : "refused\n").toBe("refused\n");
  });

  test("is not kept from its own processes by what others do", async () => {
    const crowd = shell("i=0; while [ $i -lt 50 ]; do sleep 3 & i=$((i+1)); done; wait", { seconds: 10 });
    const beside = await Promise.all(
      [1, 2].map(() => outputOf(node("console.log(require('fs').existsSync('/usr'))"))),
    );
    expect(beside).toEqual(["true\n", "true\n"]);
    await crowd;
  });

  test("is ended by who asked for it", async () => {
    const controller = new AbortController();
    const running = shell("while true; do sleep 1; done", { signal: controller.signal });
    setTimeout(() => controller.abort(new Error("enough")), 300);
    await expect(running).rejects.toThrow("enough");
  });
});

test("without a sandbox nothing is run, and it is said what is missing", () => {
  expect(sandboxMissing()).toBeUndefined();
  expect(sandboxMissing({ PATH: folder })).toMatch(
    /^bwrap and prlimit and setpriv are not installed here \(Debian: apt-get install/,
  );
});
