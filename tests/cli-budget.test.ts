import { expect, test } from "vitest";
import { isEvent, jsonLines, start, temporaryFolder, whetstone } from "./cli-program.ts";
import { promotingConfig } from "./promoting-config.ts";

test.concurrent("a run stops at a cap, says what more would buy, and --budget goes on with it", async () => {
  const folder = temporaryFolder(promotingConfig({ rounds: 2, options: "" }));
  // Five steps prepare, six make round 1, and round 2 is begun by none.
  const stopped = await whetstone(["run", "--budget", "steps=12"], { folder });
  expect([stopped.code, stopped.stderr]).toEqual([0, ""]);
  expect(stopped.stdout).toMatch(
    /^letters: stopped in round 2 of 2, at \w+: the budget of 12 steps is spent: /m,
  );
  expect(stopped.stdout).toMatch(/^gain {6}\+\d/m);
  expect(stopped.stdout).toMatch(
    /^next {6}round 1 gained \+\d+\.\d points on validation items \(95 % interval .*\) for [\d.]+ k tokens, .*; at that pace one round more, about [\d.]+ k tokens, .*, buys \+\d+\.\d points \(95 % interval /m,
  );
  // 17 steps are spent by then, and as many again as the cap are offered.
  expect(stopped.stdout).toMatch(/^The champion is safe\. To go on, raise the budget: --budget steps=29\.$/m);
  const again = await whetstone(["run", "--budget", "steps=12"], { folder });
  expect(again.stdout).toMatch(
    /^Nothing was done again: the budget of 12 steps is spent: .* give, say, --budget steps=29; /,
  );

  const raised = await whetstone(["run", "--budget", "steps=1k,rounds=3", "--json"], { folder });
  expect(jsonLines(raised.stdout).at(-1)).toMatchObject({
    type: "result",
    outcome: "rounds-spent",
    championRound: 3,
    alreadyFinished: false,
    marginal: { rounds: [1, 2, 3] },
  });
});

test.concurrent("what was spent before a SIGKILL counts, and a cap holds over it", async () => {
  const folder = temporaryFolder(promotingConfig({ rounds: 3 }));
  const first = start(["run", "--json"], { folder });
  await first.line(isEvent("stage-started", { round: 2, stage: "evaluate" }));
  first.child.kill("SIGKILL");
  await first.ended;
  // Round 2 was trained by steps 12 to 17, and no event tells their cost.
  const second = await whetstone(["run", "--json", "--budget", "steps=17"], { folder });
  const lines = jsonLines(second.stdout);
  expect(lines.at(-1)).toMatchObject({ type: "result", outcome: "budget-spent" });
  const trained = lines.filter(({ event }) => (event as { type?: string })?.type === "training-finished");
  expect(trained).toEqual([]);
});

test.concurrent("a run that ends in its preparation says with what its first round has room", async () => {
  const folder = temporaryFolder(promotingConfig({ rounds: 2 }));
  const { stdout } = await whetstone(["run", "--budget", "tokens=2000"], { folder });
  expect(stdout).toMatch(/^letters: stopped in its preparation, at evaluate: /m);
  expect(stdout).toMatch(/^cost .*, 0 tokens sampled, [\d.]+ k trained$/m);
  const [, tokens = ""] =
    /^No round was begun; what was done is kept\. To go on, raise the budget: --budget tokens=(\d+)\.$/m.exec(
      stdout,
    ) ?? [];
  const planned = await whetstone(["plan", "--budget", "tokens=2000"], { folder });
  expect(planned.stdout).toMatch(
    new RegExp(
      `Warning: it may end before its first round does; tokens=${tokens} should have room for that$`,
      "m",
    ),
  );
  const raised = await whetstone(["run", "--json", "--budget", `tokens=${tokens}`], { folder });
  expect(
    raised.stdout
      .trimEnd()
      .split("\n")
      .some(isEvent("decision-made", { round: 1 })),
  ).toBe(true);
});

test.concurrent("plan says at what a run stops, and a wrong budget is refused", async () => {
  const folder = temporaryFolder(promotingConfig({ rounds: 2 }));
  const planned = await whetstone(["plan", "--budget", "tokens=2M,steps=500"], { folder });
  expect(planned.stdout).toMatch(/^once +prepare +\d+ s +[\d.]+ k tokens {2}\S/m);
  expect(planned.stdout).toMatch(
    /^Tokens {3}about [\d.]+ k at most, [\d.]+ k of them before the first round\nBudget {3}stops at 2,000,000 tokens, 500 steps\n {9}[\d.]+ k tokens are kept back for the audits that say what was gained, counted at their longest$/m,
  );
  for (const command of ["plan", "run"]) {
    const small = await whetstone([command, "--budget", "tokens=1k"], { folder });
    expect([small.code, small.stderr]).toEqual([3, expect.stringContaining("leaves nothing to learn with")]);
  }
  const wrong = await whetstone(["run", "--budget", "token=2M"], { folder });
  expect([wrong.code, wrong.stderr]).toEqual([
    3,
    'whetstone: A budget has no "token"; did you mean tokens?\n',
  ]);
  const priceless = await whetstone(["run", "--budget", "currency=5"], { folder });
  expect([priceless.code, priceless.stderr]).toEqual([3, expect.stringContaining("does not have prices")]);
});
