import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join, relative } from "node:path";
import { describe, expect, test } from "vitest";
import { openLedger } from "../src/foundation/ledger/index.ts";
import { digestFact, folderDigest } from "../src/loop/round/folder-digest.ts";
import { promotingRun } from "../src/loop/run/testing/last-letter.ts";
import { run } from "../src/loop/run.ts";
import {
  type Ended,
  hold,
  holding,
  isEvent,
  jsonLines,
  quickConfig,
  start,
  temporaryFolder,
  whetstone,
} from "./cli-program.ts";

const commands: readonly (readonly string[])[] = [
  ["chat", "--prompt", "12="],
  ["export", "better"],
  ["rollback"],
  ["metrics"],
  ["trace", "champion"],
  ["watch"],
];

/** A project whose run was promoted in two rounds. */
async function promoted(): Promise<string> {
  const folder = temporaryFolder();
  await run(promotingRun(2), { folder });
  return folder;
}
const codes = (ends: readonly Ended[]): (number | null)[] => ends.map(({ code }) => code);

describe("in an empty folder", () => {
  test.concurrent.each(commands.map((command) => [command.join(" "), command] as const))(
    "whetstone %s says that there is no run, and leaves nothing behind",
    async (_, command) => {
      const folder = temporaryFolder();
      const said = await whetstone(command, { folder });
      expect(said).toMatchObject({
        code: 3,
        stdout: "",
        stderr: "whetstone: There is no run here yet: start one with `whetstone run`.\n",
      });
      const [error] = jsonLines((await whetstone([...command, "--json"], { folder })).stdout);
      expect(error).toMatchObject({ error: { code: "no-run", category: "user" } });
      expect(readdirSync(folder)).toEqual([]);
    },
  );

  test.concurrent("a ledger that is empty is not taken for none", async () => {
    const folder = temporaryFolder();
    mkdirSync(join(folder, ".whetstone"));
    writeFileSync(join(folder, ".whetstone/ledger.sqlite"), "");
    for (const command of [["status"], ["metrics"], ["report"]]) {
      const said = await whetstone(command, { folder });
      expect([said.code, said.stdout]).toEqual([2, ""]);
      expect(said.stderr).toMatch(
        /ledger\.sqlite is there, but nothing is in it: .* move the folder \.whetstone away/,
      );
    }
  });

  test.concurrent("whetstone compare asks for a config, then for a run", async () => {
    const none = await whetstone(["compare", "base", "champion"], { folder: temporaryFolder() });
    expect([none.code, none.stderr]).toEqual([
      3,
      expect.stringContaining("write a config with `whetstone init`"),
    ]);
    const folder = temporaryFolder(quickConfig());
    const unrun = await whetstone(["compare", "base", "champion"], { folder });
    expect([unrun.code, unrun.stderr]).toEqual([3, expect.stringContaining("holds no run of quick")]);
    expect(readdirSync(folder)).toEqual(["whetstone.config.ts"]);
  });
});

describe("beside a run, and after it was killed", () => {
  test("each says what there is; only a rollback must wait", async () => {
    const folder = temporaryFolder(quickConfig({ rounds: 2, options: holding }));
    const letGo = hold(folder);
    const running = start(["run", "--json"], { folder });
    await running.line(isEvent("stage-started", { stage: "select" }));
    const watching = start(["watch", "--json"], { folder });
    await watching.line(isEvent("run-started"));

    const [chat, metrics, rollback, compare, trace] = await Promise.all([
      whetstone(["chat", "--prompt", "12=", "--json"], { folder }),
      whetstone(["metrics"], { folder }),
      whetstone(["rollback"], { folder }),
      whetstone(["compare", "base", "champion", "--items", "8", "--json"], { folder }),
      whetstone(["trace", "base"], { folder }),
    ]);
    expect(codes([chat, metrics, rollback, compare, trace])).toEqual([0, 0, 3, 0, 0]);
    expect(trace.stdout).toMatch(/^1-quick\/round-0-solver-20: trained on [\d,]+ tokens, 100\.0 % of them/);
    expect(jsonLines(chat.stdout)[0]).toMatchObject({
      answers: [{ of: "champion", also: ["base"], round: 0 }],
    });
    expect(metrics.stdout).toMatch(/^run,round,kind,.*\n1-quick,0,training,,loss,,\d/);
    expect(rollback.stderr).toMatch(/^whetstone: Process \d+, since .* runs in this folder/);
    expect(jsonLines(compare.stdout)[0]).toMatchObject({ better: "not-shown", gain: { estimate: 0 } });

    running.child.kill("SIGKILL");
    await running.ended;
    letGo();
    const watched = await watching.ended;
    expect(watched.code).toBe(130);
    expect(jsonLines(watched.stdout).at(-1)).toMatchObject({ type: "end", run: "1-quick", state: "died" });
    const again = await whetstone(["watch"], { folder });
    expect(again.code).toBe(130);
    expect(again.stdout).toContain("nobody runs here now: `whetstone run` goes on.");
    const after = await Promise.all([
      whetstone(["chat", "--prompt", "12="], { folder }),
      whetstone(["rollback"], { folder }),
      whetstone(["export", "better"], { folder }),
    ]);
    expect(codes(after)).toEqual([0, 3, 3]);
    expect(after[1]?.stderr).toContain("nothing to roll back");
    expect(after[2]?.stderr).toContain("a table of the tabular engine");
    expect(existsSync(join(folder, "better"))).toBe(false);
    expect((await whetstone(["run"], { folder })).code).toBe(0);
  });
});

describe("watch", () => {
  test("shows what a run stores in another terminal, and ends with it", async () => {
    const folder = temporaryFolder(quickConfig({ options: holding }));
    const letGo = hold(folder);
    const running = start(["run", "--json"], { folder });
    await running.line(isEvent("stage-started", { stage: "select" }));
    const watching = start(["watch"], { folder });
    await watching.line((line) => line.startsWith("Watching 1-quick"));
    await watching.line((line) => /^In round 1 of 1, at select \(.*\) for [\d.]+ s\.$/.test(line));
    letGo();
    const [seen, end] = await Promise.all([watching.ended, running.ended]);
    expect(codes([seen, end])).toEqual([0, 0]);
    expect(seen.stdout).toMatch(/\nround 1 {2}optimize .*\n[\s\S]*\nquick: 1 round/);
  });

  test("Ctrl-C ends the watching, and not the run", async () => {
    const folder = temporaryFolder(quickConfig({ options: holding }));
    const letGo = hold(folder);
    const running = start(["run", "--json"], { folder });
    await running.line(isEvent("stage-started", { stage: "select" }));
    const watching = start(["watch"], { folder });
    await watching.line((line) => line.startsWith("Watching 1-quick"));
    watching.child.kill("SIGINT");
    expect(await watching.ended).toMatchObject({
      code: 130,
      stderr: "No longer watched; the run goes on.\n",
    });
    letGo();
    expect((await running.ended).code).toBe(0);
  });
});

describe("chat", () => {
  test("answers line by line until the input ends, and says what it cannot be asked", async () => {
    const folder = await promoted();
    const talk = start(["chat"], { folder, stdin: true });
    talk.child.stdin?.write("01234=\n");
    await talk.shown("base:\n");
    talk.child.stdin?.write("letters\n\n98765=\n/quit\n00000=\n");
    const { code, stdout, stderr } = await talk.ended;
    expect(code).toBe(0);
    expect(stdout).toMatch(
      /^champion \(round 2\):\n {2}4\nbase:\n {2}.*\n\nchampion \(round 2\):\n {2}5\nbase:\n.*\n\n$/,
    );
    expect(stderr).toMatch(
      /^Champion \(round 2\) and base of 1-letters answer\.\nThey were taught no conversations: each line stands alone\.\nThe task asks like this: \d+=\n/,
    );
    expect(stderr).toMatch(/whetstone: .* has no token for "l"/);
  });

  test("with --json: a line a prompt, errors among them; Ctrl-C ends it", async () => {
    const folder = await promoted();
    const talk = start(["chat", "--json", "--temperature", "1", "--max-tokens", "3"], {
      folder,
      stdin: true,
    });
    talk.child.stdin?.write("01234=\nx\n");
    await talk.line((line) => line.includes("text-not-in-vocabulary"));
    talk.child.kill("SIGINT");
    const { code, stdout } = await talk.ended;
    expect(code).toBe(130);
    expect(jsonLines(stdout)).toMatchObject([
      {
        prompt: "01234=",
        answers: [
          { of: "champion", round: 2 },
          { of: "base", round: 0 },
        ],
      },
      { error: { code: "text-not-in-vocabulary" } },
    ]);
  });

  test.concurrent("wrong options are named", async () => {
    const folder = temporaryFolder();
    const ends = await Promise.all([
      whetstone(["chat", "--temperature", "hot"], { folder }),
      whetstone(["chat", "--max-tokens", "0"], { folder }),
      whetstone(["chat", "--prompt", " "], { folder }),
    ]);
    expect(codes(ends)).toEqual([3, 3, 3]);
    expect(ends.map(({ stderr }) => stderr)).toEqual([
      'whetstone: --temperature must be a number of at least 0, not "hot".\n',
      'whetstone: --max-tokens must be a whole number of at least 1, not "0".\n',
      "whetstone: The prompt is empty: --prompt TEXT.\n",
    ]);
  });
});

describe("rollback", () => {
  test("is shown by status, report and metrics", async () => {
    const folder = await promoted();
    const [done] = jsonLines(
      (await whetstone(["rollback", "--reason", "it forgets", "--json"], { folder })).stdout,
    );
    expect(done).toMatchObject({ run: "1-letters", from: { round: 2 }, to: { round: 1 }, givenUp: false });
    const words = "after round 2: a person took the champion back from round 2 to round 1 (it forgets)";
    const status = await whetstone(["status"], { folder });
    expect(status.stdout).toContain(`rollback  ${words}\n`);
    expect(status.stdout).toContain("gain      not claimed: the champion is that of round 1");
    const [told] = jsonLines((await whetstone(["status", "--json"], { folder })).stdout);
    expect(told).toMatchObject({ story: { state: "finished", champion: { round: 1 }, gain: null } });
    await whetstone(["report", "--output", "page.html"], { folder });
    expect(readFileSync(join(folder, "page.html"), "utf8")).toContain(
      "took the champion back from round 2 to round 1",
    );
    expect((await whetstone(["metrics"], { folder })).stdout).toContain("rolled back");
    const base = await whetstone(["rollback", "--to", "base"], { folder });
    expect(base.stdout).toMatch(/^The champion of 1-letters is the base again, no longer round 1\.\n/);
    const wrong = await Promise.all(
      ["champion", "round-x", "round-9"].map((to) => whetstone(["rollback", "--to", to], { folder })),
    );
    expect(wrong.map(({ code, stderr }) => [code, stderr.replace(/^whetstone: /, "").trim()])).toEqual([
      [3, "--to is base or round-N, a round that was promoted; not champion."],
      [3, 'There are no weights "round-x"; did you mean round-1?'],
      [3, "Round 9 was not promoted, so it cannot be the champion; it can be round-1, round-2."],
    ]);
  });
});

describe("compare", () => {
  test("of a config's own run, in words and as the documented JSON", async () => {
    const folder = temporaryFolder(quickConfig());
    await whetstone(["run"], { folder });
    const words = await whetstone(
      ["compare", "base", "candidate", "--harness-b", "best-of-4", "--items", "20"],
      { folder },
    );
    expect(words.code).toBe(0);
    expect(words.stdout).toMatch(
      /^(a is better|b is better|No difference is shown): .* points \(95 % interval .* pairs?\)\n\na {2}base of 1-quick, the base, greedy decoding: /,
    );
    expect(words.stdout).toContain("can claim no gain on them any more");
    const [json] = jsonLines(
      (await whetstone(["compare", "base", "1-quick#round-1", "--json"], { folder })).stdout,
    );
    expect(json).toMatchObject({
      a: {
        given: "base",
        run: "1-quick",
        round: 0,
        harness: "greedy decoding",
        accuracy: { estimate: expect.any(Number) },
      },
      b: { given: "1-quick#round-1", round: 1 },
      split: "audit",
      gain: { estimate: expect.any(Number), low: expect.any(Number), high: expect.any(Number) },
      strata: [
        { stratum: "length 1", items: 10 },
        { stratum: "length 2", items: 100 },
        { stratum: "length 3" },
      ],
      warning: expect.stringContaining("audit items"),
    });
    // From beside the project, by paths that lead from there.
    const from = temporaryFolder();
    const project = relative(from, folder);
    const beside = await whetstone(
      ["compare", `${project}#base`, project, project, "--items", "8", "--json"],
      {
        folder: from,
      },
    );
    expect([beside.stderr, jsonLines(beside.stdout)[0]]).toMatchObject([
      "",
      { a: { run: "1-quick", round: 0 }, b: { run: "1-quick" }, sameWeights: true },
    ]);
    const wrong = await Promise.all([
      whetstone(["compare", "base"], { folder }),
      whetstone(["compare", "base", "chmapion"], { folder }),
      whetstone(["compare", "base", "base", "--harness-a", "best"], { folder }),
      whetstone(["compare", "base", "base", "--itmes", "3"], { folder }),
    ]);
    expect(codes(wrong)).toEqual([3, 3, 3, 3]);
    expect(wrong.map(({ stderr }) => stderr)).toEqual([
      "whetstone: B is missing: `--help` after the command shows an example.\n",
      'whetstone: There are no weights "chmapion"; did you mean champion?\n',
      expect.stringContaining('There is no way to answer "best"'),
      expect.stringContaining("There is no flag --itmes"),
    ]);
  });
});

describe("metrics", () => {
  test("go into a file whose name says the form; what cannot be written is named", async () => {
    const folder = await promoted();
    const [said] = jsonLines((await whetstone(["metrics", "--out", "m.jsonl", "--json"], { folder })).stdout);
    const rows = jsonLines(readFileSync(join(folder, "m.jsonl"), "utf8"));
    expect(said).toEqual({ metrics: join(folder, "m.jsonl"), rows: rows.length });
    const csv = await whetstone(["metrics", "--out", "m.csv"], { folder });
    expect(csv.stdout).toBe(`${rows.length} rows lie in ${join(folder, "m.csv")}.\n`);
    expect(readFileSync(join(folder, "m.csv"), "utf8").trimEnd().split("\n")).toHaveLength(rows.length + 1);
    expect(jsonLines((await whetstone(["metrics", "--json"], { folder })).stdout)).toEqual(rows);
    const wrong = await Promise.all([
      whetstone(["metrics", "--format", "xml"], { folder }),
      whetstone(["metrics", "--out", "no/such/m.csv"], { folder }),
      whetstone(["metrics", "--run", "1-lettres"], { folder }),
    ]);
    expect(codes(wrong)).toEqual([3, 3, 3]);
    expect(wrong[0]?.stderr).toBe('whetstone: --format cannot be "xml"; it is csv or jsonl.\n');
    expect(wrong[2]?.stderr).toContain("did you mean 1-letters?");
  });
});

describe("export", () => {
  test("writes the folder that was named, and refuses one that holds something", async () => {
    const folder = await promoted();
    const champion = readdirSync(join(folder, ".whetstone/checkpoints/1-letters")).find((name) =>
      name.startsWith("round-2"),
    );
    const weights = join(folder, ".whetstone/checkpoints/1-letters", champion ?? "");
    writeFileSync(join(weights, "model.safetensors"), "weights");
    const damaged = await whetstone(["export", "out/better"], { folder });
    expect([damaged.code, damaged.stderr]).toEqual([
      3,
      expect.stringContaining("does not hold what was saved there: put a copy back"),
    ]);
    {
      using ledger = openLedger({ folder });
      ledger.setFact(digestFact(`1-letters/${champion}`), (await folderDigest(weights)) ?? "");
    }
    const done = await whetstone(["export", "out/better"], { folder });
    expect(done.stdout).toMatch(
      /^The weights of round 2 of 1-letters lie in .*out\/better \(0 MB\); README\.md says/,
    );
    expect(readFileSync(join(folder, "out/better/README.md"), "utf8")).toContain("# better");
    const [json] = jsonLines((await whetstone(["export", "two", "--json"], { folder })).stdout);
    expect(json).toMatchObject({ run: "1-letters", round: 2, path: join(folder, "two") });
    mkdirSync(join(folder, "full/inside"), { recursive: true });
    const wrong = await Promise.all([
      whetstone(["export", "full"], { folder }),
      whetstone(["export", "three", "--which", "chapmion"], { folder }),
      whetstone(["export"], { folder }),
      whetstone(["export", "four", ".", "five"], { folder }),
    ]);
    expect(codes(wrong)).toEqual([3, 3, 3, 3]);
    expect(wrong.map(({ stderr }) => stderr)).toEqual([
      expect.stringContaining("is not empty"),
      expect.stringContaining("did you mean champion?"),
      expect.stringContaining("TO is missing"),
      'whetstone: This command takes 2 arguments; "five" is one too many.\n',
    ]);
  });
});
