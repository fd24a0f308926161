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

  test("cannot hold memory in the processes of a second thread, or where no process is seen to hold it", async () => {
    const hoard =
      "const held = []; setInterval(() => held.push(Buffer.alloc(1 << 24, 1)), 5); setTimeout(() => process.exit(), 4000)";
    const threads = `const { Worker } = require("worker_threads");
      new Worker('require("child_process").spawn("/interpreter", ["-e", ' + JSON.stringify(${JSON.stringify(hoard)}) + '])', { eval: true });`;
    expect(await node(threads, { megabytes: 300 })).toEqual({ outcome: "limit", limit: "memory" });
    const numbers = { x64: { memfd: 319, mmap: 9, clone: 56 }, arm64: { memfd: 279, mmap: 222, clone: 220 } };
    const { memfd, mmap, clone } = numbers[process.arch as keyof typeof numbers];
    const attempts = {
      memfd: `syscall(${memfd}, my $name = "x", 0)`,
      shared: `syscall(${mmap}, 0, 4096, 3, 0x21, -1, 0)`,
      zero: `open(my $zero, "+<", "/dev/zero") and syscall(${mmap}, 0, 4096, 3, 0x01, fileno($zero), 0)`,
      own: `syscall(${mmap}, 0, 4096, 3, 0x22, -1, 0)`,
      "System V": "shmget(0, 4096, 01600) // -1",
      namespace: `syscall(${clone}, 0x10000000 | 17, 0, 0, 0, 0)`,
      unshare: 'system("unshare", "--user", "true") == 0 ? 0 : -1',
    };
    const program = Object.entries(attempts)
      .map(([name, attempt]) => `print "${name}: ", ((${attempt}) == -1 ? "refused" : "there"), "\\n";`)
      .join(" ");
    const tried = await outputOf(shell(`exec perl -e '$| = 1; ${program}' 2>/dev/null`));
    expect(tried.trim().split("\n")).toEqual(
      Object.keys(attempts).map((name) => `${name}: ${name === "own" ? "there" : "refused"}`),
    );
    expect(
      await outputOf(shell("(echo x > /dev/shm/x || echo refused; echo x > /x || echo refused) 2>&-")),
    ).toBe("refused\nrefused\n");
  });

  test("has no privilege, and none that it could regain", async () => {
    const capabilities = await outputOf(shell("grep -E '^Cap(Prm|Eff|Bnd|Amb)' /proc/self/status"));
    expect(capabilities.match(/[0-9a-f]{16}/g)).toEqual(Array.from({ length: 4 }, () => "0".repeat(16)));
  });

  test("sees nothing that people installed themselves", async () => {
    expect(await outputOf(shell("ls -A /usr/local; echo end"))).toBe("end\n");
  });

  test("has its output counted in bytes", async () => {
    const written = shell("printf 'ééééé'", { outputBytes: 10 });
    expect(await outputOf(written)).toBe("ééééé");
    expect(await shell("printf 'éééééé'; sleep 5", { outputBytes: 10 })).toEqual({
      outcome: "limit",
      limit: "output",
    });
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

describe("what no sandbox could run is refused by name", () => {
  const cases: [string, Partial<SandboxRequest>, RegExp][] = [
    [
      "an interpreter that is not there",
      { interpreter: "/usr/bin/no-such" },
      /"interpreter" does not exist: \/usr/,
    ],
    ["an interpreter by its name", { interpreter: "node" }, /no absolute path: node. Give the whole path/],
    ["a folder for an interpreter", { interpreter: "/usr" }, /"interpreter" is no file/],
    ["what may not be executed", { interpreter: "/etc/passwd" }, /"interpreter" may not be executed/],
    ["a time that is no number", { seconds: Number.NaN }, /"seconds" is NaN: give a number above 0/],
    ["a time that no timer knows", { seconds: 1e9 }, /"seconds" is 1000000000: give at most/],
    ["memory without limit", { megabytes: Number.POSITIVE_INFINITY }, /"megabytes" is Infinity/],
    ["no output", { outputBytes: 0 }, /"outputBytes" is 0/],
    [
      "a long argument",
      { arguments: ["x".repeat(131_072)] },
      /has 131072 bytes, and Linux takes 131071: give long text as "input"/,
    ],
    [
      "long arguments together",
      { arguments: Array(17).fill("x".repeat(131_000)) },
      /together, and Linux takes about/,
    ],
    ["a zero character", { arguments: ["a\0b"] }, /zero character/],
  ];
  test.each(cases)("%s", async (_, rest, message) => {
    await expect(shell("true", rest)).rejects.toMatchObject({
      code: "sandbox-request",
      category: "user",
      message: expect.stringMatching(message),
    });
  });

  test("but not the longest argument that there may be", async () => {
    const longest = ["-c", "echo $#", "x", "x".repeat(131_071)];
    expect(await outputOf(shell("", { arguments: longest }))).toBe("1\n");
  });
});

test("without a sandbox nothing is run, and it is said what is missing", () => {
  expect(sandboxMissing()).toBeUndefined();
  expect(sandboxMissing({ PATH: folder })).toMatch(
    /^bwrap and prlimit and setpriv are not installed here \(Debian: apt-get install/,
  );
});
