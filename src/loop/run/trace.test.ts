import { mkdtempSync, readdirSync, readFileSync, rmSync, truncateSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { samples } from "../../gro/generate/index.ts";
import { gro } from "../../gro/method.ts";
import { verifier } from "../../gro/reward/index.ts";
import { policyGradient } from "../../gro/update/index.ts";
import { run } from "../run.ts";
import { readRun } from "./find-run.ts";
import { promotingRun } from "./testing/last-letter.ts";
import { traceSchema } from "./trace/trace-schema.ts";
import { type Trace, trace } from "./trace.ts";

let folder: string;
beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), "whetstone-trace-"));
  await run(promotingRun(2, { afterReject: "champion" }), { folder });
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

type Of<K extends Trace["kind"]> = Extract<Trace, { kind: K }>;
async function traced<K extends Trace["kind"]>(kind: K, of: string, rest: object = {}): Promise<Of<K>> {
  const found = await trace({ folder, of, ...rest });
  expect(traceSchema.parse(found)).toEqual(found);
  if (found.kind !== kind) throw new Error(`a trace of ${found.kind}: ${JSON.stringify(found)}`);
  return found as Of<K>;
}

/** What each round's meter read. */
const metersRead = (name: string): Map<number, number | null> =>
  new Map(
    readRun(folder).events.flatMap(({ event }) =>
      event.type === "meters-read"
        ? event.readings.flatMap(({ meter, value }): [number, number | null][] =>
            meter === name ? [[event.round, value]] : [],
          )
        : [],
    ),
  );

describe("a checkpoint", () => {
  test("is traced back to the model that its run began with, with token counts", async () => {
    const { weights, tokens, realTokens, realShare, unreadable } = await traced("checkpoint", "candidate");
    expect(weights.map(({ round, from }) => [round, from])).toEqual([
      [2, "1-letters/round-1-solver-pass-0-6"],
      [1, "1-letters/round-0-solver-5"],
      [0, "1-letters/round-0-solver-0"],
      [0, null],
    ]);
    expect(weights.at(-1)).toMatchObject({ training: null, model: { name: "tiny" }, role: "solver" });
    const trainings = weights.flatMap(({ training }) => training ?? []);
    expect(trainings.map(({ stage, steps }) => [stage, steps])).toEqual([
      ["optimize", [0, 6]],
      ["optimize", [0, 6]],
      ["prepare", [0, 5]],
    ]);
    for (const training of trainings) {
      const sum = (pick: (source: (typeof training.sources)[number]) => number): number =>
        training.sources.reduce((total, source) => total + pick(source), 0);
      expect(sum(({ times }) => times)).toBe(
        (training.steps[1] - training.steps[0]) * (training.stage === "prepare" ? 32 : 64),
      );
      expect(sum((source) => source.tokens)).toBe(training.tokens);
      expect(sum((source) => (source.real ? source.tokens : 0))).toBe(training.realTokens);
    }
    expect(tokens).toBe(trainings.reduce((total, training) => total + training.tokens, 0));
    expect(realShare).toBe(realTokens / tokens);
    expect(realShare).toBeGreaterThan(0.2);
    expect(realShare).toBeLessThan(1);
    expect(unreadable).toEqual([]);
  });

  test("has answers of its own round and of earlier ones, each with who wrote and what kept them", async () => {
    const [newest] = (await traced("checkpoint", "round-2")).weights;
    const answers = newest?.training?.sources.filter(({ kind }) => kind === "answers") ?? [];
    expect(answers.map(({ writer, kept, real }) => [writer?.checkpoint, kept?.round, real]).sort()).toEqual([
      ["1-letters/round-0-solver-5", 1, false],
      ["1-letters/round-1-solver-pass-0-6", 2, false],
    ]);
    for (const { kept, rollouts, samples: shown } of answers) {
      expect(kept).toMatchObject({ method: "rejection sampling", reward: "verifier", run: "1-letters" });
      expect(kept?.verifier).toMatchObject({ version: 1, hash: expect.stringMatching(/^[0-9a-f]{64}$/) });
      const line = readFileSync(join(folder, `.whetstone/artifacts/${rollouts}.jsonl`), "utf8");
      expect(line).toContain(JSON.stringify(shown[0]?.prompt));
    }
  });

  test("has the real share of each round that the round's meter read", async () => {
    const { rounds } = await traced("checkpoint", "candidate");
    const meter = metersRead("real share");
    expect(rounds.map(({ round }) => round)).toEqual([0, 1, 2]);
    expect(rounds[0]?.realShare).toBe(1);
    for (const { round, realShare } of rounds.slice(1))
      expect(realShare).toBeCloseTo(meter.get(round) ?? -1, 12);
  });

  test("is found by its name, by its path, and by a run's name", async () => {
    const name = "1-letters/round-1-solver-pass-0-6";
    const path = join(folder, ".whetstone/checkpoints", name);
    for (const named of [name, path, `${path}/`, "round-1"])
      expect(await traced("checkpoint", named)).toMatchObject({ checkpoint: name });
    expect(await traced("checkpoint", "base", { run: "1-letters" })).toMatchObject({
      checkpoint: "1-letters/round-0-solver-5",
      realShare: 1,
    });
    expect(await traced("checkpoint", "1-letters/round-0-solver-0")).toMatchObject({
      tokens: 0,
      realShare: null,
      rounds: [],
    });
  });
});

describe("an example", () => {
  test("of a model's is traced to the rollout, to the weights that wrote it and to what these learnt from", async () => {
    const [newest] = (await traced("checkpoint", "round-2")).weights;
    const source = newest?.training?.sources.find(({ kept }) => kept?.round === 2);
    const [sample] = source?.samples ?? [];
    const example = await traced("example", sample?.id.slice(0, 12) ?? "");
    expect(example).toMatchObject({ id: sample?.id, prompt: sample?.prompt, answer: sample?.answer });
    const origin = example.origins.find(({ rollouts }) => rollouts === source?.rollouts);
    expect(origin).toMatchObject({
      kind: "answers",
      real: false,
      source: "generator:last letter@1",
      writer: { checkpoint: "1-letters/round-1-solver-pass-0-6", role: "solver" },
      stepsAfter: 0,
    });
    const lines = readFileSync(join(folder, `.whetstone/artifacts/${origin?.rollouts}.jsonl`), "utf8").split(
      "\n",
    );
    const { item, rollouts } = JSON.parse(lines[origin?.place?.group ?? -1] ?? "") as {
      item: { canonical: string };
      rollouts: { text: string; sample: number; tokens: number[] }[];
    };
    const rollout = rollouts[origin?.place?.rollout ?? -1];
    expect([item.canonical, rollout?.text, rollout?.sample, rollout?.tokens.length]).toEqual([
      example.item,
      example.answer,
      origin?.sample,
      example.tokens,
    ]);
    expect(origin?.trainedInto).toMatchObject([{ checkpoint: newest?.checkpoint, round: 2, role: "solver" }]);
    expect(example.weights.map(({ round }) => round)).toEqual([1, 0, 0]);
  });

  test("that no model wrote ends at who made it", async () => {
    const { weights } = await traced("checkpoint", "base");
    const [sample] = weights[0]?.training?.sources[0]?.samples ?? [];
    const example = await traced("example", sample?.id ?? "");
    const [origin] = example.origins;
    expect(origin).toMatchObject({
      kind: "demonstrations",
      real: true,
      writer: null,
      kept: null,
      place: null,
    });
    expect(origin?.trainedInto.every(({ times, tokens }) => tokens === times * example.tokens)).toBe(true);
  });

  test("is found by its prompt, bare or in quotes; an answer that many gave is a list to choose from", async () => {
    const [newest] = (await traced("checkpoint", "round-2")).weights;
    const [sample] = newest?.training?.sources[0]?.samples ?? [];
    for (const named of [sample?.prompt ?? "", `"${sample?.prompt}"`, ` ${sample?.prompt} `])
      expect(await traced("example", named)).toMatchObject({ id: sample?.id });
    const matches = await traced("matches", sample?.answer ?? "");
    expect(matches.total).toBeGreaterThan(12);
    expect(matches.matches).toHaveLength(12);
    for (const match of matches.matches) {
      expect(match).toMatchObject({ as: "answer", answer: sample?.answer });
      expect(await traced("example", match.id)).toMatchObject({ prompt: match.prompt });
    }
  });
});

describe("what cannot be traced", () => {
  test.each([
    ["champoin", /did you mean champion\?/],
    ["1-letters/round-1-solver-pass-0-7", /did you mean 1-letters\/round-1-solver-pass-0-6\?/],
    [
      "no answer says this",
      /the text of no answer or prompt that was learnt from\. `whetstone trace champion`/,
    ],
    ["00000000ffff", /no beginning of an example's id/],
  ])("%s is named, with what is near", async (of, message) => {
    await expect(trace({ folder, of })).rejects.toThrow(
      expect.objectContaining({
        code: "nothing-traced",
        category: "user",
        message: expect.stringMatching(message),
      }),
    );
  });

  test("a round that is not there, a run that is not there, and no run at all", async () => {
    await expect(trace({ folder, of: "round-9" })).rejects.toThrow(
      expect.objectContaining({ code: "no-weights" }),
    );
    await expect(trace({ folder, of: "base", run: "2-letters" })).rejects.toThrow(/did you mean 1-letters/);
    await expect(trace({ folder: tmpdir(), of: "base" })).rejects.toThrow(
      expect.objectContaining({ code: "no-run" }),
    );
    await expect(trace({ folder, of: "" })).rejects.toThrow(/"of"/);
  });

  test("a run that kept no lineage says so", async () => {
    const silent = mkdtempSync(join(tmpdir(), "whetstone-trace-silent-"));
    try {
      await run(promotingRun(1), { folder: silent, lineage: false });
      expect(readdirSync(join(silent, ".whetstone"))).not.toContain("lineage.sqlite");
      const found = await trace({ folder: silent, of: "candidate" });
      expect(found).toMatchObject({
        kind: "checkpoint",
        tokens: 0,
        weights: [{ training: null, run: null }],
      });
      await expect(trace({ folder: silent, of: "some answer" })).rejects.toThrow(
        /no run of this folder has kept what it learnt from/,
      );
    } finally {
      rmSync(silent, { recursive: true, force: true });
    }
  });
});

test("a damaged index is made again, and a damaged record is named", async () => {
  const whole = await trace({ folder, of: "candidate" });
  const index = join(folder, ".whetstone/lineage.sqlite");
  writeFileSync(index, "nonsense");
  expect(await trace({ folder, of: "candidate" })).toEqual(whole);
  const copy = mkdtempSync(join(tmpdir(), "whetstone-trace-damaged-"));
  try {
    await run(promotingRun(1), { folder: copy });
    const [{ lineage = [] } = {}] = readRun(copy).events.flatMap(({ event }) =>
      event.type === "training-finished" ? [event] : [],
    );
    truncateSync(join(copy, `.whetstone/artifacts/${lineage[0]}.jsonl`), 300);
    rmSync(join(copy, ".whetstone/lineage.sqlite"));
    const found = await trace({ folder: copy, of: "candidate" });
    expect(found).toMatchObject({
      weights: [{ checkpoint: "1-letters/round-1-solver-pass-0-6", training: null }],
      unreadable: [expect.stringContaining("does not hold what was written")],
    });
    await expect(trace({ folder: copy, of: "abc" })).rejects.toThrow(/1 records cannot be read/);
  } finally {
    rmSync(copy, { recursive: true, force: true });
  }
});

test("rollouts that only one step learnt from are traced to weights and steps", async () => {
  const other = mkdtempSync(join(tmpdir(), "whetstone-trace-on-policy-"));
  try {
    const optimize = gro({
      name: "reinforce",
      generate: samples({ samples: 4 }),
      reward: verifier(),
      update: policyGradient({ learningRate: 0.1 }),
      items: 16,
      repeat: 3,
    });
    await run(promotingRun(1, { optimize }), { folder: other });
    const found = await trace({ folder: other, of: "candidate" });
    if (found.kind !== "checkpoint") throw new Error("no checkpoint");
    const [source, ...others] = found.weights[0]?.training?.sources ?? [];
    expect(others).toEqual([]);
    expect(source).toMatchObject({
      kind: "answers",
      rollouts: null,
      writer: { checkpoint: "1-letters/round-0-solver-5" },
      kept: { reward: "verifier", round: 1 },
    });
    expect(found.rounds.at(-1)).toMatchObject({ round: 1, realShare: 0 });
    const example = await trace({ folder: other, of: source?.samples[0]?.id ?? "" });
    expect(example).toMatchObject({
      kind: "example",
      origins: [{ stepsAfter: 0, place: {}, rollouts: null }],
    });
  } finally {
    rmSync(other, { recursive: true, force: true });
  }
});
