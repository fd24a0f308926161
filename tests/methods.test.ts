import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import * as generate from "../src/gro/generate/index.ts";
import * as reward from "../src/gro/reward/index.ts";
import * as whetstone from "../src/index.ts";
import { relativeCost } from "../src/lifecycle/optimize/cost.ts";

/** A call of the pages, run with everything that the package exports. */
const called = (call: string): unknown =>
  new Function(...Object.keys(whetstone), `return ${call};`)(...Object.values(whetstone));

test("no two methods have one name, and each is asked for as a command would be", () => {
  const names = whetstone.methods().map(({ name }) => name);
  expect(new Set(names).size).toBe(names.length);
  for (const name of names) expect(name).toMatch(/^[a-z0-9-]+$/);
});

describe.each(whetstone.methods().map((page) => [page.name, page] as const))("%s", (_, page) => {
  test("says what it is", () => {
    expect(page.summary).toMatch(/^[A-Z].*\.$/);
    expect(page.source).toMatch(/arXiv \d{4}\.\d{5}/);
    expect(page.formula).not.toBe("");
  });

  test("its rewards are of the kind that it says", () => {
    const origins = page
      .make()
      .passes.map(({ reward, generate }) =>
        generate.samplesPerItem === 0 || reward.name === "ungraded" ? "none" : reward.origin,
      );
    expect(origins).toContain(page.reward);
  });

  test("costs something", () => {
    expect(relativeCost(page.make())).toBeGreaterThan(0);
  });

  test("what varies it can be written so, and changes it", () => {
    expect(page.vary.length).toBeGreaterThan(0);
    for (const [call] of page.vary) {
      const varied = called(call) as whetstone.Method;
      expect(varied.passes.length).toBeGreaterThan(0);
      expect(JSON.stringify([varied.name, varied.description, varied.passes])).not.toBe(
        JSON.stringify([page.make().name, page.make().description, page.make().passes]),
      );
    }
  });
});

test("a round of rejection sampling is what the others are measured by; more samples cost more", () => {
  expect(relativeCost(whetstone.rejectionSampling())).toBe(1);
  expect(relativeCost(whetstone.restEm({ samples: 64 }))).toBeGreaterThan(relativeCost(whetstone.restEm()));
});

describe("the page about methods", () => {
  const page = readFileSync(join(import.meta.dirname, "../docs/methods.md"), "utf8");
  /** The first cells of the tables of a section, or the second. */
  const cells = (section: string, column: number): string[] =>
    (page.split(/^## /m).find((text) => text.startsWith(section)) ?? "")
      .split("\n")
      .flatMap((line) => (line.startsWith("| ") ? [line.split("|")[column] ?? ""] : []));

  test("says of every method when to take it", () => {
    const taken = cells("Which one when", 2).join();
    const missing = whetstone.methods().filter(({ make }) => !taken.includes(`\`${make.name}(`));
    expect(missing.map(({ name }) => name)).toEqual([]);
  });

  test.each([
    ["Where answers come from", generate],
    ["What is rewarded", reward],
  ])("lists every part: %s", (section, parts) => {
    const listed = [...cells(section, 1), ...cells("Who says what is good", 1)].join();
    expect(Object.keys(parts).filter((name) => !listed.includes(`\`${name}(`))).toEqual([]);
  });
});

test("what a reward asks for costs as much as any answer: comparisons, an opponent's answers, and verdicts on them", () => {
  const { rejectionSampling, judge, pairwiseJudge, samples, verifier, weighted, winRate } = whetstone;
  const generate = samples({ samples: 4 });
  const costOf = (reward: whetstone.RewardPart): number =>
    relativeCost(rejectionSampling({ generate, reward }));
  const plain = costOf(verifier());
  const answer = (costOf(judge({ judgements: 1 })) - plain) / 4;
  // Of four responses each is compared with three, in both orders.
  expect(costOf(pairwiseJudge())).toBeCloseTo(plain + 12 * answer, 10);
  expect(costOf(winRate())).toBe(plain);
  expect(costOf(winRate({ against: "start", samples: 16 }))).toBeCloseTo(plain + 16 * answer, 10);
  const judged = winRate({ against: "base", samples: 2, by: judge({ judgements: 3 }) });
  expect(costOf(judged)).toBeCloseTo(plain + (2 + 6 * 3) * answer, 10);
  const both = weighted({ judged: { reward: judged }, compared: { reward: pairwiseJudge() } });
  expect(costOf(both)).toBeCloseTo(plain + (2 + 6 * 3 + 12) * answer, 10);
});
