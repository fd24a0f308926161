import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { basename, dirname, join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { readLedger } from "../../foundation/ledger/index.ts";
import { greedyDecoding } from "../../lifecycle/refine/index.ts";
import { reverse } from "../../world/task/index.ts";
import { run } from "../run.ts";
import { auditRun } from "./audit-run.ts";
import { readContender } from "./compare/contender.ts";
import { readHarness } from "./compare/harness-words.ts";
import { compareWeights } from "./compare.ts";
import { promotingRun } from "./testing/last-letter.ts";

const definition = promotingRun(2);
let folder: string;
let other: string;
beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), "compare-"));
  other = mkdtempSync(join(tmpdir(), "compare-other-"));
  await run(definition, { folder });
  await run(promotingRun(1), { folder: other });
});
afterAll(() => {
  for (const path of [folder, other]) rmSync(path, { recursive: true });
});

describe("auditRun", () => {
  test("answers the same audit items with each of the weights, in the order asked for", async () => {
    const audits = await auditRun(definition, { folder, of: ["base", 1, "champion"], perStratum: 40 });
    expect(audits.map(({ of }) => of)).toEqual(["base", 1, "champion"]);
    const [base, first, champion] = audits.map(({ measurement }) => measurement);
    expect(base).toMatchObject({ split: "audit", strata: [{ items: 40 }] });
    expect(base?.weightVersion).toMatch(/round-0/);
    expect(first?.weightVersion).toMatch(/round-1-/);
    expect(champion?.weightVersion).toMatch(/round-2-/);
    expect(champion?.mean).toBeGreaterThan(base?.mean ?? 1);
    const items = audits.map(({ answers }) => answers.map(({ item }) => item.canonical));
    expect(items[1]).toEqual(items[0]);
    expect(audits[0]?.answers.every(({ item }) => item.split === "audit")).toBe(true);
  });

  test("answers alike when asked again, and in another way when another is given", async () => {
    const ask = (harness?: ReturnType<typeof greedyDecoding>) =>
      auditRun(definition, { folder, of: "champion", perStratum: 40, ...(harness ? { harness } : {}) });
    const [[once], [twice], [greedily]] = await Promise.all([ask(), ask(), ask(greedyDecoding())]);
    expect(twice?.measurement).toEqual(once?.measurement);
    expect(greedily?.measurement.mean).toBeGreaterThan(once?.measurement.mean ?? 1);
  });

  test("says what is not there", async () => {
    await expect(auditRun(definition, { folder, of: 7 })).rejects.toThrow("no weights of round 7");
    const elsewhere = mkdtempSync(join(tmpdir(), "compare-empty-"));
    await expect(auditRun(definition, { folder: elsewhere, of: "base" })).rejects.toMatchObject({
      code: "no-run",
    });
    await expect(
      auditRun({ ...definition, name: "another", seed: 9 }, { folder, of: "base" }),
    ).rejects.toMatchObject({
      code: "no-run",
    });
    rmSync(elsewhere, { recursive: true });
  });
});

describe("compareWeights", () => {
  test("pairs both on the same audit items, by stratum too, and touches no decision item", async () => {
    const before = openings();
    const comparison = await compareWeights(definition, {
      folder,
      a: { of: "base" },
      b: { of: "champion" },
      perStratum: 200,
    });
    const { a, b, gain, strata, better, warning } = comparison;
    expect(comparison).toMatchObject({ split: "audit", items: 200 });
    expect(gain.mean).toBeCloseTo(b.measurement.mean - a.measurement.mean, 12);
    expect(gain).toMatchObject({ pairs: 200 });
    expect(gain.interval.low).toBeGreaterThan(0);
    expect(better).toBe("b");
    expect(strata).toHaveLength(1);
    expect(strata[0]).toMatchObject({
      stratum: "length 5",
      before: a.measurement.mean,
      after: b.measurement.mean,
      counts: true,
      enumerated: false,
    });
    const { won = 0, lost = 0 } = strata[0] ?? {};
    expect((won - lost) / 200).toBeCloseTo(gain.mean, 12);
    expect(a).toMatchObject({ run: "1-letters", round: 0 });
    expect(b).toMatchObject({
      run: "1-letters",
      round: 2,
      harness: "sampled decoding (temperature 1, topP 1)",
    });
    expect(warning).toContain("can claim no gain");
    expect(openings()).toBe(before);
  });

  test("turns round with its sides, and finds no difference between a model and itself", async () => {
    const compare = (a: "base" | "champion", b: "base" | "champion") =>
      compareWeights(definition, { folder, a: { of: a }, b: { of: b }, perStratum: 64 });
    const there = await compare("base", "champion");
    const back = await compare("champion", "base");
    expect(back.gain.mean).toBeCloseTo(-there.gain.mean, 12);
    expect([there.better, back.better]).toEqual(["b", "a"]);
    expect([there.sameWeights, back.sameWeights]).toEqual([false, false]);
    const same = await compare("champion", "champion");
    expect(same).toMatchObject({ better: "not-shown", gain: { mean: 0 }, sameWeights: true });
    expect(same.strata[0]).toMatchObject({ won: 0, lost: 0 });
  });

  test("takes another project's champion, a checkpoint's folder, and another way to answer", async () => {
    const told: number[] = [];
    const elsewhere = await compareWeights(definition, {
      folder,
      a: { folder: other, of: "champion" },
      b: { path: join(other, ".whetstone/checkpoints/1-letters/round-0-solver-5") },
      perStratum: 32,
      onProgress: (done, total) => told.push(done / total),
    });
    expect(elsewhere.a).toMatchObject({ run: "1-letters", round: 1 });
    expect(elsewhere.b).toMatchObject({ run: null, round: null });
    expect(told.at(-1)).toBe(1);
    const ways = await compareWeights(definition, {
      folder,
      a: { of: "champion" },
      b: { of: "champion", harness: greedyDecoding() },
      perStratum: 200,
    });
    expect(ways).toMatchObject({ better: "b", b: { harness: "greedy decoding" }, sameWeights: true });
  });

  test("a stratum that is enumerated is shown beside the gain, not in it", async () => {
    const two = {
      ...definition,
      task: reverse({ lengths: [2, 4], growTo: 4, measureTo: 4 }),
      name: "letters",
    };
    const { strata, gain, items } = await compareWeights(two, {
      folder,
      a: { of: "base" },
      b: { of: "champion" },
      perStratum: 30,
    });
    expect(strata.map(({ stratum, enumerated, counts }) => [stratum, enumerated, counts])).toEqual([
      ["length 2", true, false],
      ["length 3", true, false],
      ["length 4", false, true],
    ]);
    expect([gain.pairs, items]).toEqual([30, 1130]);
  });
});

test("weights that are not those that were saved are compared with nothing", async () => {
  const name = "1-letters/round-0-solver-5";
  const file = join(other, ".whetstone/checkpoints", name, "table.safetensors");
  const before = readFileSync(file);
  writeFileSync(file, before.subarray(0, before.length - 4));
  const damaged = { code: "checkpoint-damaged", category: "user" };
  const champion = { of: "champion", folder: other } as const;
  for (const base of [{ of: "base", folder: other } as const, { path: dirname(file) }])
    await expect(
      compareWeights(definition, { folder, a: base, b: champion, perStratum: 8 }),
    ).rejects.toMatchObject(damaged);
  await expect(auditRun(definition, { folder: other, of: "base", perStratum: 8 })).rejects.toMatchObject(
    damaged,
  );
  writeFileSync(file, before);
  const { a } = await compareWeights(definition, {
    folder,
    a: { path: dirname(file) },
    b: champion,
    perStratum: 8,
  });
  expect(a.checkpoint).toBe(dirname(file));
});

function openings(): number {
  using ledger = readLedger({ folder });
  return ledger?.openings("last letter@1") ?? 0;
}

describe("readContender", () => {
  test.each([
    ["champion", { of: "champion" }],
    ["base", { of: "base" }],
    ["round-12", { of: 12 }],
    ["1-letters#round-2", { run: "1-letters", of: 2 }],
  ])("%s", (text, expected) => {
    expect(readContender(text, folder)).toEqual(expected);
  });

  test("folders are projects or models", () => {
    expect(readContender(other, folder)).toEqual({ folder: other, of: "champion" });
    expect(readContender(`${other}#base`, folder)).toEqual({ folder: other, of: "base" });
    const path = join(other, ".whetstone/checkpoints/1-letters/round-0-solver-5");
    expect(readContender(path, folder)).toEqual({ path });
  });

  test("relative paths lead from where one stands", () => {
    const from = dirname(other);
    expect(readContender(`${basename(other)}#base`, from)).toEqual({ folder: other, of: "base" });
    expect(readContender(`./${basename(other)}`, from)).toEqual({ folder: other, of: "champion" });
    expect(() => readContender(`./${basename(other)}`, folder)).toThrow("There are no weights");
  });

  test.each([
    ["chmapion", "did you mean champion?"],
    ["./nowhere", "give champion, base"],
    ["./nowhere#champion", "give champion, base"],
    ["a#b#c", "give champion, base"],
    ["#base", "did you mean base?"],
    ["1-letters#best", "give champion, base"],
  ])("refuses %s", (text, hint) => {
    expect(() => readContender(text, folder)).toThrow(hint);
  });
});

describe("readHarness", () => {
  test.each([
    ["greedy", "greedy decoding", 1],
    ["sampled", "sampled decoding", 1],
    ["best-of-8", "best of n", 8],
    ["vote-5", "self-consistency", 5],
  ])("%s", (text, name, samplesPerItem) => {
    expect(readHarness(text)).toMatchObject({ name, samplesPerItem });
  });

  test.each([
    ["greddy", "did you mean greedy?"],
    ["best-of-1", "N of at least 2"],
    ["vote-", "did you mean vote-8?"],
  ])("refuses %s", (text, hint) => {
    expect(() => readHarness(text)).toThrow(hint);
  });
});
