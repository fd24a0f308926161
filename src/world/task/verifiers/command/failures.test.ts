import { chmod, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, afterEach, describe, expect, test } from "vitest";
import type { CommandOptions } from "../command.ts";
import { ask, Commands, equal, score } from "./testing/commands.ts";

const commands = new Commands();
afterEach(() => commands.close());
afterAll(() => commands[Symbol.asyncDispose]());

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
    const verifier = commands.verifierOf(`if (r.response === "bad") { ${fault} } else { ${equal} }`, {
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
    const verifier = commands.verifierOf(
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
    const verifier = commands.verifierOf(
      equal,
      { timeoutMs: 150 },
      "const end = Date.now() + 400; while (Date.now() < end);",
    );
    expect(await ask(verifier)).toEqual(score(1));
  });
});

describe("a command that does not work", () => {
  const failing = (options: CommandOptions): Promise<unknown> => {
    const verifier = commands.opened(options);
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
    expect(await failing({ command: ["sh"], cwd: join(commands.folder, "nowhere") })).toMatchObject({
      message: expect.stringMatching(/cannot be started: there is no folder .*nowhere/),
    });
  });

  test("in a file that may not be executed", async () => {
    await writeFile(join(commands.folder, "plain.sh"), "#!/bin/sh\n");
    await chmod(join(commands.folder, "plain.sh"), 0o600);
    expect(await failing({ command: ["./plain.sh"] })).toMatchObject({
      message: expect.stringMatching(/chmod \+x/),
    });
  });

  test("after it worked, fails by name when no restart helps", async () => {
    const flag = join(commands.folder, "broken");
    const verifier = commands.verifierOf(
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
    const flag = join(commands.folder, "repaired");
    const verifier = commands.verifierOf(
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
