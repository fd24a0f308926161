import { mkdtempSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, test, vi } from "vitest";
import type { BaselineName, EventOf, RunEventType, StoredEvent } from "../../foundation/contract/index.ts";
import { readLedger } from "../../foundation/ledger/index.ts";
import { RunLedger } from "../../foundation/ledger/run-ledger.ts";
import { samples } from "../../gro/generate/index.ts";
import { inTurn } from "../../gro/method/index.ts";
import { gro } from "../../gro/method.ts";
import { verifier } from "../../gro/reward/index.ts";
import { policyGradient, supervised } from "../../gro/update/index.ts";
import { demonstrations, procedural } from "../../lifecycle/acquire/index.ts";
import { rejectionSampling, supervisedFineTuning } from "../../lifecycle/optimize/index.ts";
import { type RunResult, run } from "../run.ts";
import { baselinesOf } from "./baselines.ts";
import type { RunConfig } from "./config.ts";
import { promotingRun } from "./testing/last-letter.ts";
import { collectGarbage } from "./upkeep/collect.ts";

// Several runs a test, on a machine that may be busy.
vi.setConfig({ testTimeout: 180_000 });

const root = mkdtempSync(join(tmpdir(), "baselines-"));
afterAll(() => rmSync(root, { recursive: true }));
const folderOf = (name: string): string => mkdtempSync(join(root, `${name}-`));

const eventsOf = <T extends RunEventType>(events: readonly StoredEvent[], type: T): EventOf<T>[] =>
  events.flatMap(({ event }) => (event.type === type ? [event as EventOf<T>] : []));

/** A reward is all that it learns from: it has no demonstrations beside its own answers. */
const rewarded: Partial<RunConfig> = {
  acquire: [procedural({ difficulty: "next", items: 128 })],
  optimize: rejectionSampling({
    generate: samples({ samples: 4 }),
    reward: verifier(),
    update: supervised({ steps: 24, learningRate: 0.1, replay: { newest: 1 } }),
  }),
  evaluate: { perStratum: 256, auditPerStratum: 32, finalAuditPerStratum: 64, attemptItems: 0 },
};

const measuredBy = (events: readonly StoredEvent[]): Record<string, EventOf<"baseline-measured">> =>
  Object.fromEntries(eventsOf(events, "baseline-measured").map((event) => [event.baseline, event]));

function of(events: readonly StoredEvent[], name: BaselineName): EventOf<"baseline-measured"> {
  const found = measuredBy(events)[name];
  if (found === undefined) throw new Error(`${name} was not measured`);
  return found;
}

describe("short baselines", () => {
  let result: RunResult;
  const folder = folderOf("short");
  const definition = promotingRun(2, { ...rewarded, baselines: "short" });

  test("get what the run had taken at its first checkpoint after a tenth, and stand beside it", async () => {
    result = await run(definition, { folder });
    const { events } = result;
    const trained = eventsOf(events, "training-finished").map(({ compute = 0 }) => compute);
    const [first = 0, second = 0] = trained;
    expect(Math.min(...trained)).toBeGreaterThan(0);
    for (const { at, mode, measured } of eventsOf(events, "baseline-measured")) {
      expect({ at, mode }).toEqual({
        at: { round: 1, compute: first, share: first / (first + second) },
        mode: "short",
      });
      expect(measured?.own).toMatchObject({ promoted: true });
    }
    const share = (name: BaselineName): number => (of(events, name).measured?.compute ?? 0) / first;
    // One step, or one answer to each item, is the least by which they can differ.
    expect(Math.abs(share("supervised") - 1)).toBeLessThan(0.05);
    expect(Math.abs(share("best-of-n") - 1)).toBeLessThan(0.15);
    // As many steps as the round's own, on wrong answers too, which are longer here.
    expect(share("permuted-rewards")).toBeGreaterThan(0.9);
    expect(share("permuted-rewards")).toBeLessThan(2);
    expect(Object.keys(measuredBy(events))).toEqual(["best-of-n", "supervised", "permuted-rewards"]);
    const own = eventsOf(events, "validation-measured").find(({ round }) => round === 1)?.measurement;
    expect(of(events, "permuted-rewards").measured?.own.measurement).toEqual(own);
    expect(eventsOf(events, "run-finished").at(-1)?.championRound).toBe(2);
    expect(eventsOf(events, "run-started")[0]?.baselines).toEqual({ mode: "short" });
  });

  test("permuted rewards gain nothing where the real ones do", () => {
    const { measured } = of(result.events, "permuted-rewards");
    expect(measured?.own.overBase.interval.low).toBeGreaterThan(0.05);
    expect(measured?.ahead.interval.low).toBeGreaterThan(0.05);
    expect(Math.abs(measured?.overBase.mean ?? 1)).toBeLessThan(0.08);
  });

  test("data that no model wrote are what the preparation learnt from, where rounds bring none", () => {
    const { text, measured } = of(result.events, "supervised");
    expect(text).toMatch(/^\d+ steps from the base on 2,048 examples that no model wrote$/);
    expect(measured?.overBase.interval.low).toBeGreaterThan(0);
  });

  test("the base's many answers are voted on", () => {
    const { text, measured } = of(result.events, "best-of-n");
    const [, count = "0"] =
      /^of (\d+) answers of the base to each item the most frequent response$/.exec(text) ?? [];
    expect(Number(count)).toBeGreaterThan(3);
    expect(measured?.overBase.interval.low).toBeGreaterThan(0);
  });

  test("leave no weights behind, and nothing that was under way", () => {
    const left = readdirSync(join(folder, ".whetstone/checkpoints", result.run));
    expect(left.filter((name) => name.includes("baseline"))).toEqual([]);
    expect(left.length).toBeGreaterThan(1);
  });

  test("change nothing of the run itself, and are not measured again when rounds are added", async () => {
    const without = folderOf("without");
    const bare = promotingRun(2, { ...rewarded, baselines: { off: "a test has none" } });
    const { events } = await run(bare, { folder: without });
    const unlike = new Set<RunEventType>([
      "run-started",
      "engine-started",
      "cost-metered",
      "baseline-measured",
      "stage-started",
      "stage-finished",
    ]);
    const story = (all: readonly StoredEvent[]) =>
      all.filter(({ event }) => !unlike.has(event.type)).map(({ event }) => ({ ...event, seconds: 0 }));
    expect(story(events)).toEqual(story(result.events));
    expect(eventsOf(events, "run-started")[0]?.baselines).toEqual({ mode: "off", reason: "a test has none" });

    const more = await run(definition, { folder, budget: { rounds: 3 } });
    expect(more.outcome).toBe("rounds-spent");
    expect(eventsOf(more.events, "round-finished")).toHaveLength(3);
    expect(eventsOf(more.events, "baseline-measured")).toHaveLength(3);
  });
});

describe("a run that dies while it measures them", () => {
  /** Two stretches of steps, so that there is one to go on from. */
  const definition = promotingRun(1, {
    ...rewarded,
    optimize: rejectionSampling({
      generate: samples({ samples: 4 }),
      reward: verifier(),
      update: supervised({ steps: 60, learningRate: 0.05, replay: { newest: 1 } }),
    }),
    baselines: "short",
  });
  const formOf = (folder: string) => {
    using ledger = readLedger({ folder });
    const { steps, events } = ledger?.canonicalForm("1-letters") ?? { steps: [], events: [] };
    return { steps, events };
  };

  test("comes to the same ledger, wherever that is: before or after each of their steps is stored", async () => {
    const whole = folderOf("whole");
    await run(definition, { folder: whole });
    const expected = formOf(whole);
    const folder = folderOf("dying");
    const deaths: string[] = [];
    const step = RunLedger.prototype.step;
    const dying = vi.spyOn(RunLedger.prototype, "step").mockImplementation(async function (
      this: RunLedger,
      name,
      input,
      work,
    ) {
      const die = (side: string): void => {
        const place = `${name} ${side}`;
        if (!name.includes("/baseline-") || deaths.includes(place)) return;
        deaths.push(place);
        throw new Error("died");
      };
      let done = false;
      const result = await step.call(this, name, input, async () => {
        const made = await work();
        die("done");
        done = true;
        return made;
      });
      if (done) die("stored");
      return result as never;
    });
    try {
      for (let alive = false; !alive; ) {
        alive = await run(definition, { folder }).then(
          () => true,
          (error: Error) => {
            expect(error.message).toBe("died");
            return false;
          },
        );
        // What a baseline is to go on from, or to be compared with, is no garbage.
        collectGarbage({ folder, remove: true });
      }
    } finally {
      dying.mockRestore();
    }
    expect(deaths).toEqual(
      expect.arrayContaining([
        expect.stringMatching(/supervised\/1\/pass-0\/update\/solver\/\d+ stored/),
        "round-1/baseline-short-permuted-rewards/1/pass-0/rollouts done",
        "round-1/baseline-short-permuted-rewards/1/pass-0/update/solver/30 stored",
        "round-1/baseline-short-permuted-rewards stored",
      ]),
    );
    expect(formOf(folder)).toEqual(expected);
    const checkpoints = (of: string): string[] =>
      readdirSync(join(of, ".whetstone/checkpoints/1-letters")).sort();
    expect(checkpoints(folder)).toEqual(checkpoints(whole));
  });
});

test("where nothing was promoted, the run is compared by what its rounds had come to", async () => {
  const { events } = await run(
    promotingRun(2, { ...rewarded, gate: { mode: "observe" }, baselines: "short" }),
    { folder: folderOf("observes") },
  );
  const [first] = eventsOf(events, "validation-measured").filter(({ round }) => round === 1);
  const own = of(events, "permuted-rewards").measured?.own;
  expect(own?.measurement).toEqual(first?.measurement);
  expect(own?.promoted).toBe(false);
});

test("a cap of the budget leaves out what it does not pay, and ends nothing else", async () => {
  const folder = folderOf("capped");
  // The steps of the preparation and of two rounds, and one more.
  const budget = { rounds: 2, steps: 5 + 2 * 24 + 1 };
  const result = await run(promotingRun(2, { ...rewarded, budget, baselines: "short" }), { folder });
  expect(result).toMatchObject({ outcome: "rounds-spent", championRound: 2 });
  expect(Object.keys(measuredBy(result.events))).toEqual(["best-of-n", "supervised"]);
  expect(eventsOf(result.events, "baselines-left-out")).toEqual([
    expect.objectContaining({
      mode: "short",
      reason: expect.stringMatching(/^the budget of 54 steps is spent/),
    }),
  ]);
  const early = await run(
    promotingRun(2, { ...rewarded, budget: { rounds: 2, steps: 10 }, baselines: "short" }),
    {
      folder: folderOf("early"),
    },
  );
  expect(early.outcome).toBe("budget-spent");
  expect(eventsOf(early.events, "baselines-left-out")).toHaveLength(1);
  expect(measuredBy(early.events)).toEqual({});
});

describe("full baselines", () => {
  test("get all of the run's compute, outside of its budget, and can be asked for when it has ended", async () => {
    const folder = folderOf("full");
    const bare = promotingRun(2, { ...rewarded, baselines: { off: "not yet" } });
    const ended = await run(bare, { folder });
    const costs = eventsOf(ended.events, "cost-metered");
    const again = await run(promotingRun(2, { ...rewarded, baselines: "full" }), { folder });
    expect(again).toMatchObject({ outcome: "rounds-spent", alreadyFinished: false });
    const compute = eventsOf(again.events, "training-finished").reduce(
      (sum, one) => sum + (one.compute ?? 0),
      0,
    );
    const measured = eventsOf(again.events, "baseline-measured");
    expect(measured.map(({ mode, at }) => ({ mode, at }))).toEqual(
      measured.map(() => ({ mode: "full", at: { round: 2, compute, share: 1 } })),
    );
    expect(measured).toHaveLength(3);
    expect(
      measured.every(
        (one) =>
          one.measured?.own.checkpoint ===
          ended.events.flatMap(({ event }) => (event.type === "run-finished" ? [event.champion] : []))[0],
      ),
    ).toBe(true);
    const last = (of: readonly EventOf<"cost-metered">[]) => of.at(-1)?.cost;
    const counted = (cost = last(costs)) => [cost?.tokensSampled, cost?.tokensTrained, cost?.optimizerSteps];
    expect(counted(last(eventsOf(again.events, "cost-metered")))).toEqual(counted());
    const end = again.events.findLastIndex(({ event }) => event.type === "run-finished");
    expect(again.events.slice(end + 1).some(({ event }) => event.type === "baseline-measured")).toBe(false);
    expect((await run(promotingRun(2, { ...rewarded, baselines: "full" }), { folder })).alreadyFinished).toBe(
      true,
    );
  });
});

describe("a baseline that has nothing to do says so", () => {
  test("where the run has sampled nothing, or learnt from nothing but real data, by then", async () => {
    const { events } = await run(
      promotingRun(1, {
        acquire: [demonstrations({ items: 64 }), procedural({ items: 16 })],
        optimize: inTurn(supervisedFineTuning({ learningRate: 0.05 }), rejectionSampling()),
        baselines: "short",
      }),
      { folder: folderOf("real") },
    );
    const { supervised: real, "permuted-rewards": rewards } = measuredBy(events);
    expect(real).toMatchObject({ measured: null, text: expect.stringContaining("and from nothing else") });
    expect(rewards).toMatchObject({ measured: null, text: expect.stringContaining("no rewards to permute") });
  });

  test("where no data are real, and where compute pays no second answer", async () => {
    const written = demonstrations();
    const table = promotingRun(1, {
      ...rewarded,
      // As if a model had made the items that they answer.
      prepare: supervised({
        on: {
          ...written,
          draw: (task, count, random) =>
            (written.draw?.(task, count, random) ?? []).map((one) => ({
              ...one,
              item: { ...one.item, source: "model:other" },
            })),
          acquire: async (context) => {
            const { items, demonstrations: all } = await written.acquire(context);
            const of = all.map((one) => ({ ...one, item: { ...one.item, source: "model:other" } }));
            return { items, demonstrations: of };
          },
        },
        steps: 5,
        learningRate: 0.1,
      }),
      optimize: gro({
        generate: samples({ samples: 4 }),
        reward: verifier(),
        update: policyGradient({ learningRate: 0.05 }),
        items: 4,
      }),
      baselines: "short",
    });
    const { events } = await run(table, { folder: folderOf("none") });
    const { supervised: real, "best-of-n": answers } = measuredBy(events);
    expect(real).toMatchObject({ measured: null, text: "the run has no data that no model wrote" });
    expect(answers).toMatchObject({
      measured: null,
      text: expect.stringContaining("does not pay two answers"),
    });
  });
});

describe("baselinesOf", () => {
  test("are short for runs whose first checkpoint is at most at a fifth, and a reason is given for all others", () => {
    const plan = (rounds: number, baselines?: RunConfig["baselines"]) =>
      baselinesOf({ budget: { rounds }, ...(baselines === undefined ? {} : { baselines }) });
    expect([5, 8, 40].map((rounds) => plan(rounds))).toEqual([5, 8, 40].map(() => ({ mode: "short" })));
    expect(plan(3)).toEqual({
      mode: "off",
      reason: expect.stringMatching(/run of 3 rounds comes after 33 % .*baselines: "short"/),
    });
    expect(plan(1)).toEqual({
      mode: "off",
      reason: expect.stringMatching(/run of one round comes after its whole compute/),
    });
    expect(plan(1, "short")).toEqual({ mode: "short" });
    expect(plan(9, { off: "no time" })).toEqual({ mode: "off", reason: "no time" });
    expect(plan(0, "full")).toEqual({ mode: "off", reason: "there are no rounds to compare with" });
  });

  test.each([
    [{ baselines: "shrot" }, /"baselines": did you mean "short"\? It takes "short", "full" or/],
    [
      { baselines: false },
      /option "baselines": expected "short", "full" or \{ off: "the reason why there are none" \}/,
    ],
    [{ baselines: { off: "" } }, /\{ off: "the reason/],
    [{ baselines: { of: "x" } }, /\{ off: "the reason/],
  ])("%o is refused", (options, words) => {
    expect(() => promotingRun(1, options as never)).toThrow(words);
  });
});
