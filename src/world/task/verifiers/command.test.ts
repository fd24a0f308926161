import { type ChildProcess, spawn } from "node:child_process";
import { chmod, mkdir, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { pathToFileURL } from "node:url";
import { afterAll, afterEach, beforeAll, describe, expect, test } from "vitest";
import type { Item, Verdict, Verifier } from "../../../foundation/contract/index.ts";
import { itemOf } from "../items.ts";
import { reverse } from "../reverse.ts";
import { type CommandOptions, command } from "./command.ts";

let folder = "";
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "whetstone-command-"));
});
afterAll(() => rm(folder, { recursive: true, force: true }));

const open: Verifier[] = [];
afterEach(async () => {
  for (const verifier of open.splice(0)) await verifier.close?.();
});

const item: Item = {
  ...itemOf(reverse(), { prompt: "123=", difficulty: 3 }),
  answer: "321",
  stratum: "kind 1",
};
const reply = `const reply = (value) => process.stdout.write(JSON.stringify(value) + "\\n");`;

/** A verifier whose process runs this for each request `r`. */
function verifierOf(onRequest: string, options: Partial<CommandOptions> = {}, onStart = ""): Verifier {
  const script = `${reply} ${onStart}
    require("node:readline").createInterface({ input: process.stdin }).on("line", (line) => { const r = JSON.parse(line); ${onRequest} });`;
  return opened({ command: [process.execPath, "-e", script], ...options });
}

function opened(options: CommandOptions): Verifier {
  const verifier = command({ cwd: folder, ...options });
  open.push(verifier);
  return verifier;
}

const ask = async (verifier: Verifier, text = "321"): Promise<Verdict> =>
  await verifier.verify(item, { text, complete: true });
const score = (value: number): Verdict => ({ outcome: "scored", score: value });
const equal = "reply({ id: r.id, score: r.response === r.answer });";

describe("a command", () => {
  test("is asked and answers", async () => {
    const verifier = verifierOf(equal);
    expect(await ask(verifier)).toEqual(score(1));
    expect(await ask(verifier, "123")).toEqual(score(0));
  });

  test("sees the whole request, in any script, as ASCII", async () => {
    const log = join(folder, "request.json");
    const verifier = verifierOf(`require("node:fs").writeFileSync(${JSON.stringify(log)}, line); ${equal}`);
    const messages = [{ role: "user", content: "é" }];
    const asked = { ...item, messages, prompt: "naïve\u2028 𝄞 \ud800" };
    expect(await verifier.verify(asked, { text: "321", complete: true })).toEqual(score(1));
    const line = await readFile(log, "utf8");
    expect(line).toMatch(/^[\x20-\x7e]*$/);
    expect(JSON.parse(line)).toEqual({
      id: 1,
      prompt: asked.prompt,
      messages,
      answer: "321",
      response: "321",
      complete: true,
      kind: "kind 1",
    });
  });

  test("is not shown what the token limit cut off", async () => {
    const verifier = verifierOf("process.exit(3)");
    expect(await verifier.verify(item, { text: "321", complete: false })).toEqual(score(0));
  });

  test("may give scores between, parts, and no verdict", async () => {
    const verifier = verifierOf("reply({ id: r.id, ...JSON.parse(r.response) });");
    expect(await ask(verifier, `{"score":0.25,"parts":{"form":1}}`)).toEqual({
      ...score(0.25),
      parts: { form: 1 },
    });
    expect(await ask(verifier, `{"score":true,"parts":null}`)).toEqual(score(1));
    expect(await ask(verifier, `{"void":"no network"}`)).toEqual({ outcome: "void", reason: "no network" });
  });

  test.each([
    `{"score":2}`,
    `{"score":-0.1}`,
    `{"score":"1"}`,
    `{"score":null}`,
    "{}",
    `{"score":1,"parts":{"a":"b"}}`,
  ])("gives no verdict by %s", async (given) => {
    const verifier = verifierOf("reply({ id: r.id, ...JSON.parse(r.response) });");
    expect(await ask(verifier, given)).toMatchObject({
      outcome: "void",
      reason: expect.stringContaining("verifier"),
    });
    expect(await ask(verifier, `{"score":1}`)).toEqual(score(1));
  });

  test("is asked many things at once, no more than its window, and may answer in any order", async () => {
    const onStart = "const held = []; let most = 0;";
    const verifier = verifierOf(
      `held.push(r); most = Math.max(most, held.length);
       setTimeout(() => { held.reverse(); for (const one of held.splice(0)) reply({ id: one.id, score: Number(one.response) / 1000, parts: { most } }); }, 5);`,
      { window: 4 },
      onStart,
    );
    const verdicts = await Promise.all(
      Array.from({ length: 100 }, (_, index) => ask(verifier, String(index))),
    );
    verdicts.forEach((verdict, index) => {
      expect(verdict).toMatchObject(score(index / 1000));
    });
    const most = verdicts.map((verdict) => (verdict.outcome === "scored" ? (verdict.parts?.most ?? 0) : 0));
    expect(Math.max(...most)).toBeGreaterThan(1);
    expect(Math.max(...most)).toBeLessThanOrEqual(4);
  });

  test("may have several processes", async () => {
    const verifier = verifierOf(
      "setTimeout(() => reply({ id: r.id, score: 1, parts: { pid: process.pid } }), 20);",
      {
        workers: 2,
        window: 1,
      },
    );
    const verdicts = await Promise.all(Array.from({ length: 6 }, () => ask(verifier)));
    const processes = new Set(verdicts.map((verdict) => verdict.outcome === "scored" && verdict.parts?.pid));
    expect(processes.size).toBe(2);
  });

  test("may write as much to its standard error as it likes", async () => {
    const verifier = verifierOf(`process.stderr.write("x".repeat(2 ** 22), () => { ${equal} });`);
    expect(await ask(verifier)).toEqual(score(1));
  });

  test("is given long texts and long lines that are replies", async () => {
    const verifier = verifierOf(
      "reply({ id: r.id, score: r.response.length === 3e6, note: 'x'.repeat(1e6) });",
    );
    expect(await ask(verifier, "é".repeat(3e6))).toEqual(score(1));
  });

  test("may end after every answer", async () => {
    const verifier = verifierOf(`${equal} process.exitCode = 0; process.stdin.destroy();`, { window: 4 });
    const verdicts = await Promise.all(Array.from({ length: 6 }, () => ask(verifier)));
    expect(verdicts).toEqual(Array(6).fill(score(1)));
  });

  test("may close its input after every answer, and go on without end", async () => {
    const idOf = `read -r line; id=\${line#*:}; id=\${id%%,*}`;
    const script = `${idOf}; exec <&-; echo "{\\"id\\": $id, \\"score\\": 1}"; exec sleep 600`;
    const verifier = opened({ command: ["/bin/sh", "-c", script] });
    for (let repeat = 0; repeat < 3; repeat += 1) expect(await ask(verifier)).toEqual(score(1));
  });
});

describe("a command that fails at some requests", () => {
  const trouble: readonly (readonly [string, string, RegExp])[] = [
    ["hangs", "return;", /gave no answer within 0.3 s/],
    ["dies", `console.error("cannot " + r.response); process.exit(7);`, /exited with code 7: cannot bad/],
    ["is killed", `process.kill(process.pid, "SIGKILL");`, /was ended by the signal SIGKILL/],
    [
      "prints rubbish",
      `console.log("checking bad ...");`,
      /wrote "checking bad \.\.\." to its standard output, which is no reply/,
    ],
    ["answers what was not asked", "reply({ id: 99999, score: 1 });", /wrote .*99999.* no reply/],
    [
      "floods its output without line ends",
      `setInterval(() => process.stdout.write("x".repeat(65536)), 0);`,
      /line of more than a megabyte/,
    ],
  ];

  test.each(trouble)("%s: that request is void, the others are not", async (_what, fault, reason) => {
    const verifier = verifierOf(`if (r.response === "bad") { ${fault} } else { ${equal} }`, {
      timeoutMs: 300,
    });
    expect(await ask(verifier)).toEqual(score(1));
    const texts = ["321", "123", "bad", "321", "123"];
    const verdicts = await Promise.all(texts.map((text) => ask(verifier, text)));
    expect(verdicts[2]).toEqual({ outcome: "void", reason: expect.stringMatching(reason) });
    expect(verdicts.toSpliced(2, 1)).toEqual([score(1), score(0), score(1), score(0)]);
  });

  test("one that dies at a request is void every time, whatever else is asked with it", async () => {
    // This process answers out of order and dies late, so that the oldest request is not the one to blame.
    const verifier = verifierOf(
      `if (r.response === "bad") setTimeout(() => process.exit(1), 30); else setTimeout(() => { ${equal} }, 60);`,
    );
    await ask(verifier);
    const texts = ["321", "321", "bad", "123", "bad", "321"];
    for (let repeat = 0; repeat < 2; repeat += 1) {
      const verdicts = await Promise.all(texts.map((text) => ask(verifier, text)));
      expect(verdicts.map((verdict) => (verdict.outcome === "scored" ? verdict.score : "void"))).toEqual([
        1,
        1,
        "void",
        0,
        "void",
        1,
      ]);
    }
  });

  test("a slow start does not count as a slow answer", async () => {
    const verifier = verifierOf(
      equal,
      { timeoutMs: 150 },
      "const end = Date.now() + 400; while (Date.now() < end);",
    );
    expect(await ask(verifier)).toEqual(score(1));
  });
});

describe("a command that does not work", () => {
  const failing = (options: CommandOptions): Promise<unknown> => {
    const verifier = opened(options);
    return Promise.all(Array.from({ length: 5 }, () => ask(verifier))).then(
      () => "no error",
      (error: unknown) => error,
    );
  };

  test.each<[string, string[], RegExp]>([
    [
      "is not found in PATH",
      ["no-such-program-here", "x"],
      /`no-such-program-here x` cannot be started: no program "no-such-program-here" is found in PATH/,
    ],
    ["is a file that is not there", ["./verify.sh"], /cannot be started: there is no file .*\/verify.sh/],
    [
      "exits at once",
      [process.execPath, "-e", `console.error("no module named foo"); process.exit(2)`],
      /exited with code 2, 4 times in a row without an answer between.*\n.*no module named foo/,
    ],
    ["ends without a word", [process.execPath, "-e", ""], /exited with code 0, 4 times in a row/],
    ["cannot be parsed", [process.execPath, "-e", "("], /exited with code 1, 4 times[\s\S]*SyntaxError/],
    [
      "prints a banner first",
      [process.execPath, "-e", `console.log("Welcome!"); setInterval(() => {}, 1000)`],
      /wrote "Welcome!" to its standard output/,
    ],
    ["has no name", [""], /cannot be started: it has no name/],
  ])("and %s is named", async (_what, words, message) => {
    expect(await failing({ command: words })).toMatchObject({
      code: "verifier-failed",
      category: "environment",
      message: expect.stringMatching(message),
    });
  });

  test("hangs from the first: that is said at once, not after every restart", async () => {
    const error = await failing({
      command: [process.execPath, "-e", "setInterval(() => {}, 1000)"],
      timeoutMs: 100,
      startTimeoutMs: 300,
    });
    expect(error).toMatchObject({
      message: expect.stringMatching(/gave no answer within 0.3 s of its first request/),
    });
  });

  test("in a folder that is not there", async () => {
    expect(await failing({ command: ["sh"], cwd: join(folder, "nowhere") })).toMatchObject({
      message: expect.stringMatching(/cannot be started: there is no folder .*nowhere/),
    });
  });

  test("in a file that may not be executed", async () => {
    await writeFile(join(folder, "plain.sh"), "#!/bin/sh\n");
    await chmod(join(folder, "plain.sh"), 0o600);
    expect(await failing({ command: ["./plain.sh"] })).toMatchObject({
      message: expect.stringMatching(/chmod \+x/),
    });
  });

  test("after it worked, fails by name when no restart helps", async () => {
    const flag = join(folder, "broken");
    const verifier = verifierOf(
      `if (require("node:fs").existsSync(${JSON.stringify(flag)})) process.exit(9); ${equal}`,
      { restarts: 2 },
    );
    expect(await ask(verifier)).toEqual(score(1));
    await writeFile(flag, "");
    for (let repeat = 0; repeat < 2; repeat += 1)
      expect(await ask(verifier)).toMatchObject({
        outcome: "void",
        reason: expect.stringMatching(/exited with code 9/),
      });
    await expect(ask(verifier)).rejects.toThrow(/exited with code 9, 3 times in a row/);
  });

  test("stays failed until it is closed, and may then be used again", async () => {
    const flag = join(folder, "repaired");
    const verifier = verifierOf(
      equal,
      { restarts: 0 },
      `if (!require("node:fs").existsSync(${JSON.stringify(flag)})) process.exit(9);`,
    );
    await expect(ask(verifier)).rejects.toThrow(/exited with code 9, once in a row/);
    await writeFile(flag, "");
    await expect(ask(verifier)).rejects.toThrow(/exited with code 9/);
    await verifier.close?.();
    expect(await ask(verifier)).toEqual(score(1));
  });
});

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
    const verifier = verifierOf(withPid);
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
    const verifier = verifierOf(
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
    const verifier = verifierOf("return;");
    const waiting = ask(verifier);
    await verifier.close?.();
    expect(await waiting).toEqual({ outcome: "void", reason: "the verifier was closed" });
  });

  test.each(["SIGKILL", "SIGTERM", undefined] as const)(
    "comes with its parent's (%s), though it ignores everything",
    async (signal) => {
      const source = pathToFileURL(join(import.meta.dirname, "command.ts")).href;
      const stubborn = `process.on("SIGTERM", () => {}); process.stdin.on("end", () => {}); setInterval(() => {}, 1000); ${reply}
      process.stdin.once("data", (line) => { const r = JSON.parse(line); ${withPid} });`;
      const program = `import { command } from ${JSON.stringify(source)};
      const verifier = command({ command: [process.execPath, "-e", ${JSON.stringify(stubborn)}] });
      const item = { prompt: "", answer: "", stratum: "" };
      const verdict = await verifier.verify(item, { text: "", complete: true });
      console.log(verdict.parts.pid);
      ${signal === undefined ? "" : "setInterval(() => {}, 1000);"}`;
      const path = join(folder, `parent-${signal}.mjs`);
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

describe("where a command runs", () => {
  const script = `${reply} require("node:readline").createInterface({ input: process.stdin }).on("line", (line) => reply({ id: JSON.parse(line).id, score: 1 }));`;

  test("is the run's folder, unless it is said", async () => {
    const project = join(folder, "project");
    await mkdir(project);
    await writeFile(join(project, "verify.cjs"), script);
    const verifier = command({ command: [process.execPath, "verify.cjs"] });
    open.push(verifier);
    verifier.open?.({ projectFolder: project });
    expect(await ask(verifier)).toEqual(score(1));
    const words = [process.execPath, "verify.cjs"];
    const config = join(project, "config.ts");
    await writeFile(config, "");
    for (const cwd of [project, pathToFileURL(project), pathToFileURL(config), pathToFileURL(config).href]) {
      const said = opened({ command: words, cwd });
      said.open?.({ projectFolder: folder });
      expect(await ask(said)).toEqual(score(1));
    }
    expect(
      await ask(opened({ command: [process.execPath, pathToFileURL(join(project, "verify.cjs"))] })),
    ).toEqual(score(1));
  });

  test("does not define it, but what the files hold does", async () => {
    const [here, there] = [join(folder, "here"), join(folder, "there")];
    for (const place of [here, there]) {
      await mkdir(place);
      await writeFile(join(place, "verify.py"), "print(1)");
    }
    const described = (place: string): unknown => {
      const verifier = command({ command: ["python3", "verify.py"] });
      verifier.open?.({ projectFolder: place });
      return verifier.description;
    };
    const byUrl = command({ command: ["python3", pathToFileURL(join(here, "verify.py"))] });
    expect(described(here)).toEqual(described(there));
    expect(described(here)).toEqual(byUrl.description);
    expect(described(here)).toMatchObject({ command: `["python3","verify.py"]` });
    const before = described(there);
    await writeFile(join(there, "verify.py"), "print(2)");
    expect(described(there)).not.toEqual(before);
  });
});

test.each([
  [{ command: [] }, /option "command"/],
  [{ command: ["x"], timeout: 5 }, /no option "timeout"; did you mean "timeoutMs"/],
  [{ command: ["x"], timeoutMs: 0 }, /option "timeoutMs"/],
  [{ command: ["x"], workers: 1.5 }, /option "workers"/],
])("wrong options are refused: %j", (options, message) => {
  expect(() => command(options as CommandOptions)).toThrow(message);
});
