import { existsSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { userInfo } from "node:os";
import { basename, dirname, join } from "node:path";
import { describe, expect, test } from "vitest";
import { type Ended, isEvent, jsonLines, start, temporaryFolder, whetstone } from "./cli-program.ts";
import { promotingConfig } from "./promoting-config.ts";

const asking = 'oversight: { ask: ["promotion", "new-source", "budget"] },';
const inFolder = (config: Parameters<typeof promotingConfig>[0] = { options: asking }): string =>
  temporaryFolder(promotingConfig(config));
const eventTypes = ({ stdout }: Ended): unknown[] =>
  jsonLines(stdout).flatMap(({ event }) => (event as { type?: unknown } | undefined)?.type ?? []);
const isAsked = isEvent("question-asked", { question: "1-promotion-1" });

describe("a promotion that waits for a person", () => {
  test.concurrent("is answered from another process, beside the one that waits", async () => {
    const folder = inFolder();
    const run = start(["run"], { folder });
    await run.shown("whetstone approve 1-promotion-1\n");
    const status = await whetstone(["status"], { folder });
    expect(status.stdout).toMatch(/^Running now: process \d+/);
    expect(status.stdout).toMatch(
      /waits {5}1-promotion-1 waits for a person: promote the candidate of round 1 \(better: .*\)\?\n {12}whetstone approve 1-promotion-1\n {12}whetstone reject 1-promotion-1 --why "…"\n/,
    );
    const [told] = jsonLines((await whetstone(["status", "--json"], { folder })).stdout);
    expect(told).toMatchObject({
      questions: [{ id: "1-promotion-1", about: "promotion", round: 1, answer: null }],
    });

    const wrong = await whetstone(["approve", "1-promotion-2"], { folder });
    expect([wrong.code, wrong.stderr]).toEqual([
      3,
      "whetstone: There is no question 1-promotion-2 here; did you mean 1-promotion-1?\n",
    ]);
    const approved = await whetstone(["approve", "1-promotion-1", "--why", "it knows"], { folder });
    expect(approved).toMatchObject({ code: 0, stderr: "" });
    expect(approved.stdout).toMatch(
      /^Approved: promote the candidate of round 1 .*\nThe process that runs in the folder goes on with it\.\n$/,
    );
    const twice = await whetstone(["reject", "1-promotion-1"], { folder });
    expect([twice.code, twice.stderr]).toEqual([
      3,
      expect.stringContaining("1-promotion-1 is answered already"),
    ]);

    const ended = await run.ended;
    expect(ended.code).toBe(0);
    expect(ended.stdout).toMatch(/a person approved it: it knows/);
    expect(ended.stdout).toMatch(/^gain {6}\+/m);
    const page = readFileSync(join(folder, ".whetstone/report.html"), "utf8");
    expect(page).toContain("What a person was asked");
    expect(page).toContain(userInfo().username);
  });

  test.concurrent("survives the death of its process, and is answered where nobody runs", async () => {
    const folder = inFolder();
    const first = start(["run", "--json"], { folder });
    await first.line(isAsked);
    first.child.kill("SIGKILL");
    expect((await first.ended).signal).toBe("SIGKILL");

    // Another process waits for the same question, and dies of it too.
    const second = start(["run"], { folder });
    await second.shown("whetstone approve 1-promotion-1\n");
    second.child.kill("SIGKILL");
    await second.ended;

    const rejected = await whetstone(["reject", "1-promotion-1", "--why", "it forgets dates", "--json"], {
      folder,
    });
    expect(jsonLines(rejected.stdout)).toMatchObject([
      { id: "1-promotion-1", run: "1-letters", running: false, answer: { answer: "reject" } },
    ]);
    expect(readdirSync(join(folder, ".whetstone/answers"))).toEqual([]);
    const third = await whetstone(["run", "--json"], { folder });
    expect(third.code).toBe(0);
    const [result] = jsonLines(third.stdout).slice(-1);
    expect(result).toMatchObject({ type: "result", outcome: "rounds-spent", championRound: 0, gain: null });
    // The question and its answer were told before; what follows from it is told now, and no promotion is audited.
    const types = eventTypes(third);
    expect(types).toEqual(expect.arrayContaining(["decision-made", "candidate-rejected", "run-finished"]));
    for (const type of ["question-asked", "question-answered", "audit-measured"])
      expect(types).not.toContain(type);
    const status = await whetstone(["status"], { folder });
    expect(status.stdout).toContain("a person rejected it: it forgets dates");
    expect(status.stdout).not.toContain("waits");
  });

  test.concurrent("Ctrl-C ends the waiting at once, and the question stays", async () => {
    const folder = inFolder();
    const run = start(["run"], { folder });
    await run.shown("whetstone approve 1-promotion-1\n");
    run.child.kill("SIGINT");
    const ended = await run.ended;
    expect(ended.code).toBe(130);
    expect(ended.stdout).toMatch(/waits {5}1-promotion-1 waits for a person/);
    // The command names the folder as the reader's place does.
    const above = await whetstone(["status", basename(folder)], { folder: dirname(folder) });
    expect(above.stdout).toContain(`whetstone approve 1-promotion-1 ${basename(folder)}\n`);
    const approved = await whetstone(["approve", "1-promotion-1", basename(folder)], {
      folder: dirname(folder),
    });
    expect(approved.stdout).toMatch(/It is recorded; `whetstone run` goes on with it\.\n$/);
    const again = await whetstone(["run", "--json"], { folder });
    expect(jsonLines(again.stdout).at(-1)).toMatchObject({ outcome: "rounds-spent", championRound: 1 });
  });

  test.concurrent("watch shows the question too", async () => {
    const folder = inFolder();
    const run = start(["run", "--json"], { folder });
    await run.line(isAsked);
    const watch = start(["watch"], { folder });
    await watch.shown("whetstone approve 1-promotion-1\n");
    await whetstone(["approve", "1-promotion-1"], { folder });
    expect((await run.ended).code).toBe(0);
    expect((await watch.ended).code).toBe(0);
  });
});

test.concurrent("a new source and a raised budget are asked for before anything is done with them", async () => {
  const folder = inFolder({ rounds: 0, options: asking });
  expect((await whetstone(["run"], { folder })).code).toBe(0);
  const config = join(folder, "whetstone.config.ts");
  writeFileSync(config, promotingConfig({ rounds: 0, options: asking }).replace('"next"', '"frontier + 1"'));
  const sourced = start(["run"], { folder });
  await sourced.shown("whetstone reject 1-new-source-1");
  await whetstone(["reject", "1-new-source-1", "--why", "not ours"], { folder });
  const refused = await sourced.ended;
  expect([refused.code, refused.stderr]).toEqual([
    3,
    expect.stringMatching(
      /^whetstone: A person has rejected a new source of data \(not ours\): procedural \(difficulty: frontier \+ 1\)\. Take it out of the config\.\n$/,
    ),
  ]);
  // What the folder has come to is still the run before.
  const [told] = jsonLines((await whetstone(["status", "--json"], { folder })).stdout);
  expect(told).toMatchObject({ runs: [{ id: "1-letters" }], questions: [], story: { state: "finished" } });

  writeFileSync(config, promotingConfig({ rounds: 0, options: asking }));
  const raised = start(["run", "--budget", "rounds=1"], { folder });
  await raised.shown("raise the budget of “letters” from 0 rounds to 1 round?");
  expect((await whetstone(["reject", "1-budget-1", "--json"], { folder })).code).toBe(0);
  const kept = await raised.ended;
  expect(kept.code).toBe(0);
  expect(kept.stdout).toMatch(
    /^A person has rejected 1-budget-1, to raise the budget of “letters” from 0 rounds to 1 round: giving it with --budget once more asks anew\.$/m,
  );
  expect(kept.stdout).toContain("This run is finished, and nothing was done again.");
  const anew = start(["run", "--budget", "rounds=1"], { folder });
  await anew.shown("whetstone approve 1-budget-2");
  expect((await whetstone(["reject", "1-budget-2", "--why", "still no"], { folder })).code).toBe(0);
  expect((await anew.ended).stdout).toMatch(/^A person has rejected 1-budget-2, .* \(still no\): giving it/m);
});

test.concurrent("nothing is answered where nothing was asked, and nothing is left behind", async () => {
  const folder = temporaryFolder();
  for (const command of ["approve", "reject"]) {
    const said = await whetstone([command, "1-promotion-1"], { folder });
    expect([said.code, said.stderr]).toEqual([
      3,
      "whetstone: There is no run here yet: start one with `whetstone run`.\n",
    ]);
    const nameless = await whetstone([command], { folder });
    expect([nameless.code, nameless.stderr]).toEqual([3, expect.stringContaining("ID is missing")]);
  }
  expect(existsSync(join(folder, ".whetstone"))).toBe(false);
});
