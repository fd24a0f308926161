import { describe, expect, test } from "vitest";
import type { Pool } from "../../foundation/contract/index.ts";
import type { Pass } from "../../gro/method.ts";
import { demonstrations, procedural } from "../../lifecycle/acquire/index.ts";
import { deduplicate, solveRateBand } from "../../lifecycle/select/index.ts";
import { itemOf } from "../../world/task/index.ts";
import { acquireStage } from "./acquire.ts";
import { auditStage } from "./audit.ts";
import { evaluateStage } from "./evaluate.ts";
import { guardStage } from "./guards.ts";
import { optimizeStage } from "./optimize.ts";
import { selectStage } from "./select.ts";
import { firstState } from "./state.ts";
import { definitionOf, FakeContext, lineageOf } from "./testing/fake-context.ts";

const { task } = definitionOf();
const itemAt = (prompt: string) => itemOf(task, { prompt, difficulty: prompt.length - 1 });
const poolOf = (...prompts: string[]): Pool => ({ items: prompts.map(itemAt), demonstrations: [] });
const evaluated = async (round: FakeContext, checkpoint: string, champion: string | null = null) =>
  evaluateStage(
    round.context,
    champion === null ? 0 : 1,
    lineageOf(checkpoint),
    champion === null ? null : lineageOf(champion),
  );
const stateOf = async (round: FakeContext) =>
  firstState(lineageOf("base"), (await evaluated(round, "base")).measurement);
const eventsOf = (round: FakeContext, type: string) =>
  round.context.run.events().flatMap(({ event }) => (event.type === type ? [event] : []));

describe("acquire", () => {
  test("fills the pool from what the starting point was trained to, and finds it again", async () => {
    using round = new FakeContext({
      definition: { acquire: [demonstrations({ items: 3 }), procedural({ items: 4 })] },
    });
    const state = await stateOf(round);
    const pool = await acquireStage(round.context, 1, lineageOf("x", { trainedTo: 9 }), state);
    expect([pool.items.length, pool.demonstrations.length]).toEqual([4, 3]);
    expect(new Set(pool.items.map(({ difficulty }) => difficulty))).toEqual(new Set([10]));
    round.reopen();
    expect(await acquireStage(round.context, 1, lineageOf("x", { trainedTo: 9 }), state)).toEqual(pool);
    const next = await acquireStage(round.context, 2, lineageOf("x", { trainedTo: 9 }), state);
    expect(next.items).not.toEqual(pool.items);
  });
});

describe("select", () => {
  test("knows what earlier rounds of its line have learnt from, and nothing else", async () => {
    using round = new FakeContext({ definition: { select: [deduplicate()] } });
    const pick = (number: number, selections: readonly string[], pool: Pool) =>
      selectStage(round.context, number, lineageOf("x", { selections: [...selections] }), pool);
    const first = await pick(1, [], poolOf("1234=", "5678=", "1234="));
    expect(first.items.map(({ canonical }) => canonical)).toEqual(["1234", "5678"]);
    const second = await pick(2, [first.artifact], poolOf("5678=", "9999="));
    expect(second.items.map(({ canonical }) => canonical)).toEqual(["9999"]);
    // A line that goes on from the champion has not learnt what its candidate had.
    const third = await pick(3, [], poolOf("5678=", "9999="));
    expect(third.items).toHaveLength(2);
    round.reopen();
    expect(await pick(2, [first.artifact], poolOf("5678=", "9999="))).toEqual(second);
  });

  test("lets the starting point's lead attempt what a band asks for, and tells how far it is", async () => {
    using round = new FakeContext({
      definition: { select: [solveRateBand({ low: 0.5, high: 0.5, samples: 2 })] },
      speak: { start: (prompt, sample) => (prompt.startsWith("1") && sample === 0 ? "4321" : "0") },
    });
    const { items } = await selectStage(round.context, 1, lineageOf("start"), poolOf("1234=", "5678="));
    expect(items.map(({ canonical }) => canonical)).toEqual(["1234"]);
    expect(round.samplers.get("start")?.calls.flat()).toMatchObject([
      { samples: 2, parameters: { temperature: 1 } },
      { samples: 2 },
    ]);
    expect(round.seen).toContainEqual({
      type: "progress",
      stage: "select",
      label: "attempt items",
      done: 2,
      total: 2,
    });
  });
});

describe("optimize", () => {
  test("makes a candidate of the starting point, and remembers what it has learnt from", async () => {
    using round = new FakeContext();
    const state = await stateOf(round);
    const start = lineageOf("start", { round: 1, trainedTo: 9, selections: ["earlier"] });
    const selection = { items: [itemAt("1234567894="), itemAt("12=")], artifact: "picked" };
    const pool = { items: [], demonstrations: [{ item: itemAt("12="), response: "21" }] };
    const optimize = () => optimizeStage(round.context, 2, start, state, selection, pool);
    const { candidate, evidence } = await optimize();
    expect(candidate).toMatchObject({
      round: 2,
      checkpoints: { solver: "1-reverse/round-2-solver-pass-0-2" },
      trainedTo: 10,
      selections: ["earlier", "picked"],
    });
    expect(candidate.rollouts).toHaveLength(1);
    expect(evidence.trained).toEqual({
      items: 3,
      foreign: { validation: 0, decision: 0, audit: 0 },
      misnamed: 0,
    });
    expect(evidence.planted).toMatchObject({ wrongKept: 0 });
    expect(evidence.training).toMatchObject({
      rollouts: 2,
      kept: 0,
      rawLabelAccuracy: 0,
      mismatchTolerance: 1e-4,
      freshness: 0,
    });
    expect(eventsOf(round, "training-finished")).toMatchObject([
      {
        round: 2,
        checkpoint: "1-reverse/round-2-solver-pass-0-2",
        evidence: evidence.training,
        loss: { steps: 2, means: [0.01, 0.01] },
      },
    ]);
    expect(eventsOf(round, "stage-finished").at(-1)).toMatchObject({
      summary:
        "2 rollouts, 0 kept, 12 tokens trained, nothing new was kept: 2 steps on what was there before, loss 0.0100 → 0.0100",
    });
    expect(round.seen).toContainEqual(
      expect.objectContaining({ type: "progress", stage: "optimize", label: "train", loss: 0.01 }),
    );
    round.reopen();
    expect(await optimize()).toEqual({ candidate, evidence });
    expect(round.models).toHaveLength(1);
    // Nothing of the newer length was kept: what is replayed are the demonstrations alone.
    expect(round.models[0]?.trained).toHaveLength(2);
  });

  test("a pass with nothing to attempt is counted and told, and takes nothing from what was learnt", async () => {
    const { optimize: whole } = definitionOf();
    const [pass] = whole.passes as [Pass];
    const passes = [pass, { ...pass, itemsFrom: () => [], noItems: "no debate ended with one answer" }];
    using round = new FakeContext({ definition: { optimize: { ...whole, passes } } });
    const start = lineageOf("start", { round: 1, trainedTo: 9 });
    const selection = { items: [itemAt("1234567894=")], artifact: "picked" };
    const pool = { items: [], demonstrations: [{ item: itemAt("12="), response: "21" }] };
    const state = await stateOf(round);
    const { candidate, evidence } = await optimizeStage(round.context, 2, start, state, selection, pool);
    expect(candidate).toMatchObject({ trainedTo: 10, selections: ["picked"] });
    expect(evidence.training).toMatchObject({ blocked: null, passesEmpty: 1, stepsReplayed: 2 });
    expect(eventsOf(round, "stage-finished").at(-1)).toMatchObject({
      summary: expect.stringMatching(
        /^1 rollouts, .* tokens trained, .*, once there was nothing to learn from: no debate ended with one answer, loss/,
      ),
    });
  });

  test("where nothing was selected the line is trained no further than it was", async () => {
    using round = new FakeContext();
    const nothing = { items: [], artifact: "none" };
    const { candidate } = await optimizeStage(
      round.context,
      1,
      lineageOf("start"),
      await stateOf(round),
      nothing,
      { items: [], demonstrations: [] },
    );
    expect(candidate.trainedTo).toBe(8);
    expect(eventsOf(round, "stage-finished").at(-1)).toMatchObject({
      summary: expect.stringMatching(/^nothing was learnt: no token was trained, since no item was selected/),
    });
  });
});

describe("evaluate", () => {
  test("asks the same items in every round, and the same weights once", async () => {
    using round = new FakeContext({ speak: { base: () => "0" } });
    expect((await evaluated(round, "base")).measurement.mean).toBe(0);
    const { measurement, gain } = await evaluated(round, "new", "base");
    expect(measurement.mean).toBe(1);
    expect(gain?.mean).toBe(1);
    expect(round.promptsOf("new")).toEqual(round.promptsOf("base"));
    expect(eventsOf(round, "validation-measured")).toMatchObject([
      { who: "base" },
      { who: "candidate", gain: { mean: 1 } },
    ]);
    const [first, second] = eventsOf(round, "samples-shown");
    // Beside the candidate's right answers stand the champion's wrong ones; the base has none beside it.
    expect(second).toMatchObject({
      samples: Array.from({ length: 12 }, () => ({ before: "0", beforeRight: false, right: true })),
    });
    expect(first).toMatchObject({ samples: [] });
  });

  test("what was answered before an interruption is not asked again, and it ends alike", async () => {
    using whole = new FakeContext({ speak: { base: () => "0" } });
    await evaluated(whole, "base");
    const expected = await evaluated(whole, "new", "base");
    const all = whole.promptsOf("new");

    let asked = 0;
    const dying = (prompt: string): string => {
      asked += 1;
      if (asked === all.length) throw new Error("killed");
      return [...prompt.slice(0, -1)].reverse().join("");
    };
    using round = new FakeContext({ speak: { base: () => "0", new: dying } });
    await evaluated(round, "base");
    await expect(evaluated(round, "new", "base")).rejects.toThrow("killed");
    round.reopen();
    expect(await evaluated(round, "new", "base")).toEqual(expected);
    // Two parts of three were stored, and nothing of the champion was lost.
    expect(round.promptsOf("new")).toEqual(all.slice(Math.ceil((2 / 3) * all.length)));
    expect([...round.samplers.keys()]).toEqual(["new"]);
    expect(eventsOf(round, "samples-shown")).toEqual(eventsOf(whole, "samples-shown"));
  });
});

describe("guards", () => {
  test("see the readings of the rounds before, and their own round's once", async () => {
    const histories: number[] = [];
    const guard = {
      name: "historian",
      definition: "Counts.",
      description: {},
      watch: ({ history }: { history: readonly unknown[] }) => {
        histories.push(history.length);
        return { answer: "ok" as const, evidence: "", value: null, threshold: null };
      },
    };
    using round = new FakeContext({ definition: { guard: [guard] } });
    const { measurement: validation } = await evaluated(round, "base");
    const state = firstState(lineageOf("base"), validation);
    const { evidence } = await optimizeStage(
      round.context,
      1,
      lineageOf("start"),
      state,
      { items: [], artifact: "none" },
      { items: [], demonstrations: [] },
    );
    const measured = {
      ...evidence,
      candidate: validation,
      champion: validation,
      gain: null,
      attempts: null,
    };
    for (const number of [1, 2, 3]) await guardStage(round.context, number, measured);
    // What the base reads comes first.
    expect(histories).toEqual([0, 2, 3]);
    expect(await guardStage(round.context, 3, measured)).toEqual([
      { guard: "historian", answer: "ok", evidence: "", value: null, threshold: null },
    ]);
    expect(histories).toHaveLength(3);
    expect(eventsOf(round, "guards-spoke")).toHaveLength(3);
  });
});

describe("audit", () => {
  test("asks both the same audit items, more of them at the end, and tells how far it is", async () => {
    using round = new FakeContext({ speak: { old: () => "0" } });
    const gain = await auditStage(round.context, 1, "previous-champion", lineageOf("old"), lineageOf("new"));
    expect(gain).toMatchObject({ mean: 1, pairs: 7 * 4 });
    expect(round.promptsOf("old")).toEqual(round.promptsOf("new"));
    const end = await auditStage(round.context, 1, "base", lineageOf("old"), lineageOf("new"));
    expect(end.pairs).toBe(7 * 8);
    expect(eventsOf(round, "audit-measured")).toMatchObject([
      { comparison: "previous-champion", before: { mean: 0, split: "audit" }, after: { mean: 1 }, gain },
      { comparison: "base" },
    ]);
    const told = round.seen.flatMap((one) => ("event" in one ? [] : [[one.done, one.total] as const]));
    const [last] = told.slice(-1);
    expect(last?.[0]).toBe(last?.[1]);
    for (const [done, total] of told) expect(done).toBeLessThanOrEqual(total);
    round.reopen();
    expect(await auditStage(round.context, 1, "base", lineageOf("old"), lineageOf("new"))).toEqual(end);
    expect(round.samplers.size).toBe(0);
  });

  test("what was answered before an interruption is not asked again", async () => {
    let asked = 0;
    const dying = (): string => {
      asked += 1;
      if (asked === 1100) throw new Error("killed");
      return "0";
    };
    using round = new FakeContext({ speak: { new: dying } });
    const audit = () => auditStage(round.context, 1, "base", lineageOf("old"), lineageOf("new"));
    await expect(audit()).rejects.toThrow("killed");
    round.reopen();
    await audit();
    expect(round.promptsOf("new")).toHaveLength(Math.floor((1110 + 8 * 8) / 3));
    expect(round.promptsOf("old")).toEqual([]);
  });

  test("what others answered before an interruption is no answer of these", async () => {
    const dying = (): string => {
      throw new Error("killed");
    };
    using round = new FakeContext({ speak: { dying } });
    const audit = (before: string, after: string) =>
      auditStage(round.context, 1, "base", lineageOf(before), lineageOf(after));
    await expect(audit("old", "dying")).rejects.toThrow("killed");
    round.reopen();
    await expect(audit("older", "new")).rejects.toMatchObject({ code: "step-changed" });
  });
});
