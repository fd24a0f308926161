import { describe, expect, test } from "vitest";
import { plantedFaults } from "../bench/guards/faults.ts";
import { healthyTables } from "../bench/guards/healthy.ts";
import { byItsOwn, type PlantedFault, unguarded } from "../bench/guards/planted-fault.ts";
import { finds, firstAct, type Played, play } from "../bench/guards/play.ts";
import { listen, warningShare } from "../bench/guards/quiet.ts";
import { defaults, refusalLoss } from "../src/index.ts";
import { closingWords, tellRun } from "../src/surface/report/index.ts";

const faultOf = (name: string) => {
  const fault = plantedFaults.find((one) => one.name === name);
  if (fault === undefined) throw new Error(`no fault is called ${name}`);
  return fault;
};
const readingsOf = ({ base, rounds }: Played, meter: string): number[] =>
  [base, ...rounds.map(({ readings }) => readings)].flatMap(
    (readings) => readings.find((one) => one.meter === meter)?.value ?? [],
  );
const seed = 0;
const played = new Map<string, Promise<Played>>();

/** Each of the runs is played once, for all that is asked of it. */
function playOnce(fault: PlantedFault, guarded: boolean): Promise<Played> {
  const key = `${fault.name} ${guarded}`;
  const run = played.get(key) ?? play(fault.define({ seed, guards: guarded ? byItsOwn(fault) : unguarded }));
  played.set(key, run);
  return run;
}

// Seconds where the machine has nothing else to do.
const patience = 120_000;

describe.each(plantedFaults)("$name", (fault) => {
  test("is caught in time, by a guard that is to find it", { timeout: patience }, async () => {
    const guarded = await playOnce(fault, true);
    const act = firstAct(guarded, finds(fault));
    expect(act?.round).toBeLessThanOrEqual(fault.within);
    expect(act?.guards.some((guard) => fault.caughtBy.includes(guard))).toBe(true);
    if (fault.answers !== undefined) return;
    // What was caught is no champion, and the run ends by saying so.
    expect(guarded.rounds.find(({ round }) => round === act?.round)?.promoted).toBe(false);
    const words = closingWords(tellRun(guarded.stored)).slice(-4).join("\n");
    expect(words).toMatch(/^wrong {5}\S/);
    expect(words).toMatch(new RegExp(`^found by {2}.*“(${fault.caughtBy.join("|")})”`, "m"));
    expect(words).toMatch(
      guarded.outcome === "stopped-by-guard"
        ? /^done .*The run was stopped in round \d, and the round was not promoted\./m
        : /^done .*(was|were) taken back: (its|their) weights were given up\./m,
    );
    expect(words).toMatch(/^to do {5}\S/m);
  });
});

test("every guard that a run has by default finds a fault", () => {
  const found = new Set(plantedFaults.flatMap(({ caughtBy }) => caughtBy));
  expect(
    defaults()
      .map(({ name }) => name)
      .filter((name) => !found.has(name)),
  ).toEqual([]);
});

describe("where a guard only warns, the run goes on", { timeout: patience }, () => {
  test("longer answers are warned of in every round, and the run ends with its rounds", async () => {
    const { outcome, rounds } = await playOnce(faultOf("longer answers"), true);
    expect(outcome).toBe("rounds-spent");
    expect(rounds.map(({ findings }) => findings[0]?.answer)).toEqual(["warn", "warn", "warn"]);
  });

  test("who learns from itself alone is given real data in the next round", async () => {
    const guarded = await playOnce(faultOf("nothing but its own"), true);
    expect(guarded.outcome).toBe("rounds-spent");
    expect(readingsOf(guarded, "real share")).toEqual([0, 0.5, 0.5]);
    const bare = await playOnce(faultOf("nothing but its own"), false);
    expect(readingsOf(bare, "real share")).toEqual([0, 0, 0]);
  });
});

describe("without guards the faults look like progress, or go on unseen", { timeout: patience }, () => {
  test("the self-consuming loop gets righter while it loses what it could say; with guards it is given real data, and keeps it", async () => {
    const fault = faultOf("self-consuming loop");
    const bare = await playOnce(fault, false);
    const right = readingsOf(bare, "pass@1");
    expect(Math.max(...right)).toBeGreaterThan((right[0] ?? 1) + 0.1);
    expect(Math.min(...readingsOf(bare, "pass@k"))).toBeLessThan(0.85);
    expect(Math.min(...readingsOf(bare, "coverage"))).toBeLessThan(4);
    expect(bare.rounds.some(({ promoted }) => promoted)).toBe(true);
    const guarded = await playOnce(fault, true);
    expect(guarded.events).toContainEqual(
      expect.objectContaining({ type: "remedies-applied", learningRate: 1, realData: 2 }),
    );
    expect(readingsOf(guarded, "pass@k").at(-1)).toBeGreaterThan(0.95);
    expect(readingsOf(guarded, "coverage").at(-1)).toBeGreaterThan(5);
    expect(readingsOf(guarded, "real share").at(-1)).toBeGreaterThan(0.2);
  });

  test("the hackable verifier is satisfied, and the gate with it, by answers that are wrong", async () => {
    const bare = await playOnce(faultOf("hackable verifier"), false);
    expect(readingsOf(bare, "accuracy").at(-1)).toBeGreaterThan(0.6);
    expect(readingsOf(bare, "pass@1").at(-1)).toBeLessThan(0.1);
    expect(bare.rounds.filter(({ promoted }) => promoted).length).toBeGreaterThanOrEqual(3);
  });

  test("a hacked reward rises, and the gate promotes it, while no more is right", async () => {
    const bare = await playOnce(faultOf("hacked reward"), false);
    const reward = readingsOf(bare, "training reward");
    expect(reward.at(-1)).toBeGreaterThan((reward[0] ?? 1) + 0.2);
    const right = readingsOf(bare, "pass@1");
    expect(right.at(-1)).toBeLessThan((right[0] ?? 0) + 0.05);
    expect(bare.rounds.some(({ promoted }) => promoted)).toBe(true);
  });

  test("a majority that is wrong grows", async () => {
    const bare = await playOnce(faultOf("majority lock-in"), false);
    const locked = readingsOf(bare, "locked to a wrong answer");
    expect(Math.max(...locked)).toBeGreaterThan((locked[0] ?? 1) + 0.2);
  });
});

test.each(["stale sampler", "leaked decision items"])(
  "%s: nothing is learnt from what a guard blocks, and the run stops",
  { timeout: patience },
  async (name) => {
    const { events, rounds, outcome } = await playOnce(faultOf(name), true);
    expect(outcome).toBe("stopped-by-guard");
    const last = rounds.at(-1)?.round;
    const trained = events.find((event) => event.type === "training-finished" && event.round === last);
    expect(trained?.type === "training-finished" && trained.evidence).toMatchObject({
      tokensTrained: 0,
      blocked: expect.stringContaining("nothing was learnt"),
    });
  },
);

test("where nothing is wrong guards are quiet", { timeout: patience }, async () => {
  // The proposer takes longest by far: the bench plays it.
  const runs = healthyTables.filter(({ name }) => !name.startsWith("proposes"));
  const quiet = await listen(runs, [seed]);
  expect(quiet).toMatchObject({ runs: runs.length, stops: 0, rollbacks: 0 });
  for (const { name } of [...defaults(), refusalLoss()])
    if (name !== "learnable proposals" && name !== "verifier integrity")
      expect(quiet.judged[name], name).toBeGreaterThan(0);
  expect(warningShare(quiet)).toBeLessThanOrEqual(0.05);
});
