import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import {
  auditRun,
  defineRun,
  demonstrations,
  procedural,
  type RunConfig,
  type RunEvent,
  rejectionSampling,
  reverse,
  run,
  samples,
  supervised,
  type Task,
  tabular,
  tiny,
} from "../src/index.ts";
import { exactAnswer, exactCanaries, itemOf } from "../src/world/task/index.ts";

/**
 * The last character of a string: a table that looks at the last few tokens only can learn this and generalise, so that the
 * whole loop, gate included, runs in seconds and without Python.
 */
function lastCharacter(): Task {
  const strings = reverse({ lengths: [5, 6], growTo: 6, measureTo: 6 });
  const solve = (prompt: string): string => prompt.at(-2) ?? "";
  const task: Task = {
    ...strings,
    name: "last-character",
    verifier: exactAnswer(solve),
    generate: (length, random) => {
      const problem = strings.generate(length, random);
      return { ...problem, answer: solve(problem.prompt) };
    },
    demonstrate: ({ prompt }) => solve(prompt),
    canaries: () =>
      exactCanaries(
        ["12345=", "987654="].map((prompt) => ({
          item: itemOf(task, { prompt, difficulty: prompt.length - 1 }),
          answer: solve(prompt),
        })),
        [..."0123456789"],
      ),
  };
  return task;
}

const config = {
  name: "whole",
  task: lastCharacter(),
  model: tiny({ layers: 1, width: 8, heads: 1 }),
  engine: tabular({ horizon: 2, backOff: 2 }),
  prepare: supervised({ on: demonstrations(), steps: 4, batch: 8, learningRate: 0.5 }),
  acquire: [procedural({ difficulty: 5, items: 256 })],
  optimize: rejectionSampling({
    generate: samples({ samples: 4 }),
    update: supervised({ steps: 8, batch: 32, learningRate: 0.5, replay: { newest: 1 } }),
  }),
  evaluate: { perStratum: 32, auditPerStratum: 16, finalAuditPerStratum: 64 },
  budget: { rounds: 3 },
} as const satisfies RunConfig;

let root: string;
beforeAll(async () => {
  root = await mkdtemp(join(tmpdir(), "whetstone-whole-loop-"));
});
afterAll(() => rm(root, { recursive: true, force: true }));
const folderOf = (): Promise<string> => mkdtemp(join(root, "run-"));

/** What happened, without what differs between two runs of one definition: times and what they cost. */
function storyOf(events: readonly { readonly event: RunEvent }[]): unknown[] {
  const untimed = new Set(["run-resumed", "run-interrupted", "cost-metered", "engine-started"]);
  return events.flatMap(({ event }) => {
    if (untimed.has(event.type)) return [];
    const { seconds: _, ...rest } = { seconds: 0, ...event };
    return [rest];
  });
}

describe("a whole run on a table of logits", () => {
  let folder: string;
  let story: readonly { readonly event: RunEvent }[];
  beforeAll(async () => {
    folder = await folderOf();
    const result = await run(defineRun(config), { folder });
    story = result.events;
  });
  const eventsOf = <T extends RunEvent["type"]>(type: T) =>
    story.flatMap(({ event }) => (event.type === type ? [event as Extract<RunEvent, { type: T }>] : []));

  test("promotes what is better, and claims the gain on audit items", () => {
    expect(eventsOf("candidate-promoted").length).toBeGreaterThanOrEqual(1);
    const claimed = eventsOf("audit-measured").find(({ comparison }) => comparison === "base");
    expect(claimed?.gain.mean).toBeGreaterThan(0.1);
    expect(claimed?.gain.interval.low).toBeGreaterThan(0);
  });

  test("openings are counted on", () => {
    const openings = eventsOf("decision-made").flatMap(({ decision }) => decision.opening ?? []);
    expect(openings.map(({ opening }) => opening)).toEqual(openings.map((_, index) => index + 1));
  });

  test("audits answer the weights of any round", async () => {
    const [base, first, champion] = await auditRun(defineRun(config), {
      folder,
      of: ["base", 1, "champion"],
      perStratum: 64,
    });
    expect(base?.measurement.split).toBe("audit");
    expect(champion?.measurement.mean).toBeGreaterThan(base?.measurement.mean ?? 1);
    expect(first?.answers.map(({ item }) => item.canonical)).toEqual(
      base?.answers.map(({ item }) => item.canonical),
    );
    for (const { item } of base?.answers ?? []) expect(item.split).toBe("audit");
    await expect(auditRun(defineRun(config), { folder, of: 9 })).rejects.toMatchObject({
      code: "no-weights",
    });
    await expect(
      auditRun(defineRun({ ...config, name: "another" }), { folder, of: "base" }),
    ).rejects.toMatchObject({ code: "no-run" });
  });

  test("run again, it does nothing; with more rounds it goes on", async () => {
    const again = await run(defineRun(config), { folder });
    expect(again).toMatchObject({ alreadyFinished: true });
    expect(again.events).toHaveLength(story.length);
    const more = await run(defineRun({ ...config, budget: { rounds: 4 } }), { folder });
    const rounds = more.events.flatMap(({ event }) => (event.type === "round-finished" ? [event.round] : []));
    expect(rounds).toEqual([1, 2, 3, 4]);
  });

  test("an edited configuration goes on from the champion of its name", async () => {
    const before = await run(defineRun({ ...config, budget: { rounds: 4 } }), { folder });
    const edited = await run(defineRun({ ...config, optimize: rejectionSampling(), budget: { rounds: 1 } }), {
      folder,
    });
    const checkpointOf = (events: readonly { readonly event: RunEvent }[], type: RunEvent["type"]) =>
      events.flatMap(({ event }) => (event.type === type && "checkpoint" in event ? [event.checkpoint] : []));
    expect(checkpointOf(edited.events, "model-prepared")).toEqual([
      checkpointOf(before.events, "candidate-promoted").at(-1),
    ]);
  });
});

test("interrupted at any event, the run ends with the same ledger", async () => {
  const small = defineRun({ ...config, budget: { rounds: 2 } });
  const whole = storyOf((await run(small, { folder: await folderOf() })).events);
  const folder = await folderOf();
  let interruptions = 0;
  for (let attempt = 0; ; attempt++) {
    const controller = new AbortController();
    let seen = 0;
    const result = await run(small, {
      folder,
      signal: controller.signal,
      watch: (event) => {
        if ("type" in event) return;
        seen += 1;
        if (seen === 3) controller.abort();
      },
    });
    if (result.outcome !== "interrupted") {
      expect(storyOf(result.events)).toEqual(whole);
      break;
    }
    interruptions += 1;
    if (attempt > 60) throw new Error("it never ends");
  }
  expect(interruptions).toBeGreaterThan(5);
});
