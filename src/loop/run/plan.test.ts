import { existsSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { ledgerFolder, openLedger } from "../../foundation/ledger/index.ts";
import { inTurn } from "../../gro/method/index.ts";
import { agreement, everything } from "../../gro/reward/index.ts";
import { supervised } from "../../gro/update/index.ts";
import { demonstrations, procedural } from "../../lifecycle/acquire/index.ts";
import { grpo, rejectionSampling, star, supervisedFineTuning } from "../../lifecycle/optimize/index.ts";
import { bestOfN } from "../../lifecycle/refine/index.ts";
import { deduplicate, solveRateBand } from "../../lifecycle/select/index.ts";
import { tiny } from "../../model/engine/index.ts";
import { tabular } from "../../model/engine/tabular/index.ts";
import { characters } from "../../model/text/index.ts";
import { addition, copy, dataset, parity, reverse, tasks } from "../../world/task/index.ts";
import { defineRun, type RunConfig } from "./config.ts";
import { describeRun } from "./describe.ts";
import { planLines } from "./plan/lines.ts";
import { type Plan, plan } from "./plan.ts";

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "plan-"));
});
afterEach(() => rmSync(folder, { recursive: true }));

/** A short cap where nothing else is said: how small a gain it can show takes less time to find. */
const planOf = (config: Partial<RunConfig> = {}) =>
  plan(
    defineRun({
      task: reverse({ lengths: [1, 8], growTo: 16, measureTo: 18 }),
      evaluate: { perStratum: 64, auditPerStratum: 64, finalAuditPerStratum: 64 },
      gate: { cap: 400 },
      ...config,
    }),
    { folder },
  );
const secondsOf = (stages: readonly { readonly seconds: number }[]): number =>
  stages.reduce((sum, { seconds }) => sum + seconds, 0);

/** The demo: two small decoders that teach themselves longer strings. */
const demo: Partial<RunConfig> = {
  model: tiny({ layers: 3, width: 64, heads: 2, positions: "none", tokenizer: characters("0123456789=") }),
  prepare: supervised({ on: demonstrations(), steps: 1500, learningRate: 3e-3 }),
  optimize: rejectionSampling({ reward: agreement({ peers: 2 }) }),
  gate: {},
};

describe("plan", () => {
  test("of the demo says what is known of it", async () => {
    const planned = await planOf(demo);
    expect(planned).toMatchObject({
      name: "reverse",
      rounds: 8,
      parameters: 148_160,
      policies: 2,
      speed: "a reference machine",
      gate: {
        strata: Array.from({ length: 12 }, (_, index) => `length ${index + 5}`),
        measuredOnly: ["length 1", "length 2", "length 3", "length 4"],
      },
    });
    expect(planned.preparation.map(({ stage }) => stage)).toEqual(["prepare", "evaluate"]);
    // Validation items, and attempts at them that the meters read.
    expect(planned.round.map(({ stage }) => stage)).toEqual([
      "optimize",
      "evaluate",
      "evaluate",
      "decide",
      "audit",
    ]);
    expect(planned.end.map(({ stage }) => stage)).toEqual(["baseline", "baseline", "baseline", "audit"]);
    // 1,500 steps of 64 examples with a dozen tokens each, for two models.
    const [preparation] = planned.preparation;
    expect(preparation?.tokensTrained).toBeGreaterThan(2 * 1500 * 64 * 5);
    expect(preparation?.tokensTrained).toBeLessThan(2 * 1500 * 64 * 25);
    expect(planned.seconds).toBeGreaterThan(30);
    expect(planned.seconds).toBeLessThan(600);
    // A checkpoint of a model's preparation and one a round, with two moments for each weight, and two while training goes on;
    // and that of a baseline.
    expect(planned.diskBytes).toBe(148_160 * 2 * 12 * (1 + 8 + 2 + 1));
    expect(planned.diskBytesEachRound).toBe(148_160 * 2 * 12);
    expect(planned.diskFreeBytes).toBeGreaterThan(0);
    expect(planned.memoryBytes).toBeGreaterThan(3e8);
    expect(planned.lines.join("\n")).toMatch(/reverse: 2 models of 148,160 parameters, 8 rounds/);
    expect(planned.canaries.right).toBeGreaterThan(0);
  });

  test.each(Object.entries(tasks))("has something plausible to say of %s", async (name, make) => {
    const planned = await planOf({ task: make(), optimize: name === "parity" ? grpo() : star(), gate: {} });
    expect(planned.seconds).toBe(
      secondsOf(planned.preparation) + planned.rounds * secondsOf(planned.round) + secondsOf(planned.end),
    );
    for (const stage of [...planned.preparation, ...planned.round, ...planned.end]) {
      expect(stage.tokensTrained + stage.tokensSampled).toBeGreaterThan(0);
      expect(stage.seconds).toBeGreaterThan(0);
      expect(stage.seconds).toBeLessThan(3600);
    }
    expect(planned.smallestGain?.first).toBeGreaterThan(0.01);
    expect(planned.smallestGain?.first).toBeLessThan(0.1);
    for (const line of planned.lines) expect(line).not.toMatch(/NaN|undefined|Infinity/);
  });

  test("the smallest gain that can be shown falls with the cap, and rises with openings", async () => {
    const gainAt = async (cap: number) => (await planOf({ gate: { cap } })).smallestGain;
    const [few, some, many] = [await gainAt(100), await gainAt(1000), await gainAt(4000)];
    expect(few?.first ?? Number.NaN).toBeGreaterThan(some?.first ?? Number.NaN);
    expect(some?.first ?? Number.NaN).toBeGreaterThan(many?.first ?? Number.NaN);
    for (const gain of [few, some, many]) expect(gain?.last ?? 1).toBeGreaterThan(gain?.first ?? Number.NaN);
    expect((await gainAt(12))?.first).toBeNull();
  });

  test("openings that the folder has spent count", async () => {
    const fresh = await planOf({ budget: { rounds: 1 } });
    expect(fresh.smallestGain?.first).toBe(fresh.smallestGain?.last);
    {
      using ledger = openLedger({ folder });
      for (let opening = 1; opening <= 8; opening++) ledger.openingNumber("reverse@1", `${opening}`);
      for (let opening = 1; opening <= 50; opening++) ledger.openingNumber("copy@1", `${opening}`);
    }
    const later = await planOf({ budget: { rounds: 1 } });
    expect(later.smallestGain?.first ?? Number.NaN).toBeGreaterThan(fresh.smallestGain?.first ?? Number.NaN);
    const copied = await planOf({ task: copy({ lengths: [1, 8] }), budget: { rounds: 1 } });
    expect(copied.smallestGain?.first ?? Number.NaN).toBeGreaterThan(later.smallestGain?.first ?? Number.NaN);
  });

  test("a gate that observes promotes nothing, but answers its pairs all the same", async () => {
    const [decides, observes] = [await planOf(), await planOf({ gate: { mode: "observe", cap: 400 } })];
    expect(observes.smallestGain).toBeNull();
    expect(observes.lines.join("\n")).toContain("observes: decisions are recorded, nothing is promoted");
    const pairsOf = ({ round }: typeof decides) => round.find(({ stage }) => stage === "decide");
    expect(pairsOf(observes)).toEqual(pairsOf(decides));
    expect(observes.round.map(({ stage }) => stage)).not.toContain("audit");
    expect(new Set(observes.end.map(({ stage }) => stage))).toEqual(new Set(["baseline"]));
    const small = await planOf({ task: reverse({ lengths: [1, 3] }), gate: { mode: "observe" } });
    expect(small.gate.strata).toEqual(["length 5", "length 6"]);
    const none = await planOf({ task: reverse({ lengths: [1, 3], growTo: 3 }), gate: { mode: "observe" } });
    expect(none.gate.strata).toEqual([]);
    expect(pairsOf(none)?.tokensSampled).toBe(0);
  });

  test("refuses what a run would refuse, before it writes anything", async () => {
    await expect(planOf({ task: reverse({ lengths: [1, 3], growTo: 3 }) })).rejects.toMatchObject({
      code: "gate-cannot-open",
    });
    await expect(planOf({ gate: { cap: 11 } })).rejects.toMatchObject({ code: "gate-cannot-open" });
    const task = reverse();
    const broken = {
      ...task,
      verifier: { ...task.verifier, verify: () => ({ outcome: "scored" as const, score: 1 }) },
    };
    await expect(planOf({ task: broken })).rejects.toMatchObject({ code: "verifier-wrong" });
    expect(existsSync(ledgerFolder(folder))).toBe(false);
  });

  test("dearer choices cost more", async () => {
    const base = await planOf();
    const secondsAt = async (config: Partial<RunConfig>) => (await planOf(config)).seconds;
    expect(await secondsAt({ budget: { rounds: 9 } })).toBeGreaterThan(base.seconds);
    expect(await secondsAt({ refine: bestOfN({ samples: 8 }) })).toBeGreaterThan(base.seconds);
    expect(await secondsAt({ select: [deduplicate(), solveRateBand()] })).toBeGreaterThan(base.seconds);
    expect(await secondsAt({ evaluate: { perStratum: 1000 } })).toBeGreaterThan(base.seconds);
    expect(await secondsAt({ model: tiny({ layers: 6 }) })).toBeGreaterThan(base.seconds);
    const nothingNew = await planOf({
      acquire: [demonstrations()],
      optimize: rejectionSampling({ reward: everything() }),
    });
    expect(nothingNew.round.find(({ stage }) => stage === "optimize")?.tokensSampled).toBe(0);
  });

  test("baselines are counted: a tenth of the rounds each, or all of them, or none and why", async () => {
    const planned = async (config: Partial<RunConfig>) => {
      const { end, lines, round } = await planOf(config);
      const work = end.filter(({ stage }) => stage === "baseline");
      return { work, lines: lines.join("\n"), optimize: round.find(({ stage }) => stage === "optimize") };
    };
    const short = await planned({ budget: { rounds: 20 } });
    expect(short.work.map(({ what }) => what)).toEqual([
      "the base with many answers, with the compute of 2 rounds",
      "supervised on external data only, with the compute of 2 rounds",
      "permuted rewards, with the compute of 2 rounds",
    ]);
    expect(short.lines).toMatch(/^once +baseline .*permuted rewards, with the compute of 2 rounds$/m);
    const { tokensSampled = 0, tokensTrained = 0 } = short.optimize ?? {};
    const trained = ({ work }: typeof short): (number | undefined)[] => work.map((one) => one.tokensTrained);
    // Two rounds' training; on demonstrations as much again as their sampling took.
    const own = 2 * tokensTrained;
    expect(trained(short)).toEqual([0, expect.closeTo(own + (2 * tokensSampled) / 3, 3), own]);
    const full = await planned({ budget: { rounds: 20 }, baselines: "full" });
    expect(full.work[2]?.what).toBe("permuted rewards, with the compute of 20 rounds, outside of the budget");
    expect(trained(full)[2]).toBeCloseTo(10 * own, 3);
    const off = await planned({ baselines: { off: "it is to be quick" } });
    expect(off.work).toEqual([]);
    expect(off.lines).toMatch(/^Baseline none: it is to be quick$/m);
    const few = await planned({ budget: { rounds: 2 } });
    expect(few.lines).toMatch(/^Baseline none: the first checkpoint of a run of 2 rounds comes after 50 %/m);
  });

  test("methods that follow each other are each counted for their own rounds", async () => {
    const first = supervisedFineTuning({ epochs: 2, batch: 8 });
    const then = rejectionSampling({ reward: everything(), update: supervised({ steps: 30, batch: 4 }) });
    const optimizeOf = ({ round }: Plan) => round.filter(({ stage }) => stage === "optimize");
    const rest = {
      acquire: [demonstrations({ items: 400 }), procedural({ items: 64 })],
      baselines: { off: "only rounds are compared here" },
      budget: { rounds: 5 },
    };
    const both = await planOf({ ...rest, optimize: inTurn(first, then) });
    const [one, other] = [
      await planOf({ ...rest, optimize: first }),
      await planOf({ ...rest, optimize: then }),
    ];
    expect(optimizeOf(both)).toEqual([
      { ...optimizeOf(one)[0], rounds: [1, 1] },
      { ...optimizeOf(other)[0], rounds: [2, 5] },
    ]);
    // 2 epochs of 400 demonstrations; the mean length of an example is the same in both.
    const [own, theirs] = optimizeOf(both).map(({ tokensTrained }) => tokensTrained);
    expect((own ?? 0) / (theirs ?? 1)).toBeCloseTo(800 / 120, 6);
    expect(both.seconds).toBeCloseTo((one.seconds + 4 * other.seconds) / 5, 6);
    expect(both.lines.join("\n")).toMatch(
      /\nround 1 .*supervised fine-tuning.*\nrounds 2-5 .*rejection sampling/,
    );
    // The first saves once a round, as the other does.
    expect(both.diskBytes).toBe(other.diskBytes);
  });

  test("a file with fewer validation rows than are asked for is counted as it is", async () => {
    const file = join(folder, "kinds.jsonl");
    const rows = Array.from({ length: 300 }, (_, n) => ({
      prompt: `${n}?`,
      answer: `${n}`,
      kind: n < 200 ? "a" : "b",
    }));
    writeFileSync(file, rows.map((row) => JSON.stringify(row)).join("\n"));
    const task = await dataset({ file });
    const counts = task.strata.map(({ splits }) => splits?.validation ?? 0);
    expect(Math.max(...counts)).toBeLessThan(60);
    const planned = await planOf({ task, evaluate: { perStratum: 128 } });
    expect(planned.round.find(({ stage }) => stage === "evaluate")?.what).toBe(
      `${Math.min(...counts)} to ${Math.max(...counts)} validation items of each kind, ${(counts[0] ?? 0) + (counts[1] ?? 0)} in all`,
    );
    const few = await planOf({ task, evaluate: { perStratum: 8 } });
    expect(few.preparation.at(-1)?.what).toBe("8 validation items of each kind, 16 in all");
  });

  test("its speed is that of the folder's last run, once there is one", async () => {
    const reference = await planOf();
    const cost = {
      tokensSampled: 1e6,
      tokensTrained: 2e6,
      optimizerSteps: 1,
      availableSeconds: 0,
      wallSeconds: 0,
    };
    const record = (busySeconds: number, rest: Partial<RunConfig> = {}, availableSeconds = 0): void => {
      using ledger = openLedger({ folder });
      const run = ledger.startRun({
        name: "x",
        configHash: "c",
        description: describeRun(defineRun({ task: reverse(), ...rest })),
        seed: 0,
        origin: null,
      });
      run.append("cost", {
        type: "cost-metered",
        round: 0,
        cost: { ...cost, busySeconds, availableSeconds },
      });
    };
    record(4);
    expect(await planOf()).toMatchObject({ seconds: reference.seconds, speed: "a reference machine" });
    record(1000);
    const slow = await planOf();
    record(2000);
    const slower = await planOf();
    expect(slow.speed).toBe("this folder's last run");
    expect(slower.seconds / slow.seconds).toBeCloseTo(2, 6);
    // Another model's run tells nothing of this one.
    record(9000, { model: tiny({ layers: 5 }) });
    record(9000, { engine: tabular() });
    expect(await planOf()).toMatchObject({
      seconds: slower.seconds,
      secondsBetween: [slower.seconds, slower.seconds],
    });
    // Workers that wait for the brain make no plan shorter.
    record(1000, {}, 4000);
    expect((await planOf()).seconds / slower.seconds).toBeCloseTo(2, 6);
    record(2000, {}, 1500);
    expect((await planOf()).seconds).toBeCloseTo(slower.seconds, 6);
    // A run that was over at once tells nothing.
    record(0);
    expect(await planOf()).toMatchObject({ seconds: slower.seconds, speed: "this folder's last run" });
  });

  test("checkpoints that no round trains on from hold no moments; those on the way do, and are gone when training ends", async () => {
    const optimize = (steps: number) =>
      rejectionSampling({ update: supervised({ steps, optimizerState: "fresh" }) });
    const baselines = { off: "theirs are gone too" };
    const { parameters, ...short } = await planOf({ optimize: optimize(500), baselines });
    expect(short.diskBytesEachRound).toBe(4 * parameters);
    // The preparation and eight rounds leave one each, and two at most are on the way.
    expect(short.diskBytes).toBe((4 + 8 * 4 + 2 * 12) * parameters);
    const brief = {
      baselines,
      prepare: supervised({ on: demonstrations(), steps: 40 }),
      optimize: optimize(60),
    };
    expect((await planOf(brief)).diskBytes).toBe((4 + 8 * 4 + 12) * parameters);
    expect((await planOf({ ...brief, optimize: optimize(30) })).diskBytes).toBe((4 + 8 * 4) * parameters);
  });

  test("warns where the disk has no room for the checkpoints", async () => {
    const { lines: _, ...planned } = await planOf();
    const text = (rest: Partial<typeof planned>): string => planLines({ ...planned, ...rest }).join("\n");
    const fits = text({ diskBytes: 2e9, diskBytesEachRound: 5e8, diskFreeBytes: 2e9 });
    expect(fits).toContain("Disk     about 2.0 GB of checkpoints, 500 MB in each round; 2.0 GB are free");
    expect(fits).not.toContain("Warning");
    expect(text({ diskBytes: 2e9, diskFreeBytes: 5e8 })).toContain(
      "Warning: they do not fit. Free 1.5 GB, run fewer rounds",
    );
  });

  test("a large model's time is said to be rough until a run has told it", async () => {
    const small = await planOf();
    expect(small.secondsBetween).toEqual([small.seconds, small.seconds]);
    const large = await planOf({ model: tiny({ layers: 8, width: 512, heads: 8 }) });
    expect(large.parameters).toBeGreaterThan(2e7);
    expect(large.secondsBetween).toEqual([large.seconds / 3, large.seconds * 3]);
    expect(large.lines.join("\n")).toMatch(
      /reference machine\n +roughly: it may be .* to .* here; the first run will tell/,
    );
    expect((await planOf({ engine: tabular() })).lines.join("\n")).toContain("roughly");
  });

  test("more digits, and other forms, are no trouble", async () => {
    for (const form of ["plain", "reversed", "interleaved"] as const)
      expect((await planOf({ task: addition({ form, digits: [1, 4] }) })).gate.strata.length).toBeGreaterThan(
        3,
      );
    expect((await planOf({ task: parity({ bits: 20 }) })).gate.strata).toEqual(["bits 20"]);
  });
});
