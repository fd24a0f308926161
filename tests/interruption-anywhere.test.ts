import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import {
  defineRun,
  demonstrations,
  type Engine,
  type EngineDefinition,
  type EngineModel,
  procedural,
  type RunConfig,
  type RunDefinition,
  type RunEvent,
  type RunResult,
  rejectionSampling,
  run,
  type Sampler,
  samples,
  solveRateBand,
  supervised,
  type Task,
  tabular,
  tiny,
} from "../src/index.ts";
import { lastLetter } from "../src/loop/run/testing/last-letter.ts";

/** Everything that a run waits for outside of itself. */
const verbs = [
  "createModel",
  "loadSampler",
  "forward",
  "forwardBackward",
  "optimStep",
  "snapshot",
  "sample",
  "logprobs",
  "verify",
] as const;
type Verb = (typeof verbs)[number];
type Waiting = { readonly signal?: AbortSignal } | undefined;
/** Called before a verb does its work; what it returns is waited for first. */
type Hook = (verb: Verb, waiting: Waiting) => Promise<void> | undefined;

/** The tabular engine, as slow at any call as the hook says. */
function hooked(hook: Hook): EngineDefinition {
  const inner = tabular({ horizon: 2, backOff: 2 });
  /** Without a wait the call is made at once: models apply calls in the order in which they are made. */
  const after = <T>(verb: Verb, waiting: Waiting, work: () => Promise<T>): Promise<T> => {
    const wait = hook(verb, waiting);
    return wait === undefined ? work() : wait.then(work);
  };
  const samplerOf = (sampler: Sampler): Sampler => ({
    id: sampler.id,
    weightVersion: sampler.weightVersion,
    sample: (requests, options) => after("sample", options, () => sampler.sample(requests, options)),
    logprobs: (sequences, options) => after("logprobs", options, () => sampler.logprobs(sequences, options)),
    [Symbol.asyncDispose]: () => sampler[Symbol.asyncDispose](),
  });
  const modelOf = (model: EngineModel): EngineModel => ({
    id: model.id,
    info: model.info,
    forward: (data, options) => after("forward", options, () => model.forward(data, options)),
    forwardBackward: (data, options) =>
      after("forwardBackward", options, () => model.forwardBackward(data, options)),
    optimStep: (options) => after("optimStep", options, () => model.optimStep(options)),
    save: (options) => model.save(options),
    snapshot: (options) => after("snapshot", options, async () => samplerOf(await model.snapshot(options))),
    [Symbol.asyncDispose]: () => model[Symbol.asyncDispose](),
  });
  return {
    ...inner,
    open: async (context) => {
      const engine = await inner.open(context);
      const wrapped: Engine = {
        name: engine.name,
        capabilities: () => engine.capabilities(),
        cost: () => engine.cost(),
        createModel: (options) =>
          after("createModel", options, async () => modelOf(await engine.createModel(options))),
        loadSampler: (options) =>
          after("loadSampler", options, async () => samplerOf(await engine.loadSampler(options))),
        [Symbol.asyncDispose]: () => engine[Symbol.asyncDispose](),
      };
      return wrapped;
    },
  };
}

function definitionWith(hook: Hook): RunDefinition {
  const task: Task = {
    ...lastLetter,
    verifier: {
      ...lastLetter.verifier,
      verify: async (item, response) => {
        await hook("verify", undefined);
        return lastLetter.verifier.verify(item, response);
      },
    },
  };
  const config = {
    name: "anywhere",
    task,
    model: tiny({ layers: 1, width: 8, heads: 1 }),
    engine: hooked(hook),
    prepare: supervised({ on: demonstrations(), steps: 4, batch: 8, learningRate: 0.5 }),
    acquire: [procedural({ items: 64 })],
    select: [solveRateBand({ low: 0, high: 1, samples: 2 })],
    optimize: rejectionSampling({
      generate: samples({ samples: 4 }),
      update: supervised({ steps: 8, batch: 32, learningRate: 0.5, replay: { newest: 1 } }),
    }),
    evaluate: { perStratum: 16, auditPerStratum: 8, finalAuditPerStratum: 16 },
    gate: { cap: 400 },
    budget: { rounds: 1 },
  } satisfies RunConfig;
  return defineRun(config);
}

/** What happened, without what differs between two runs of one definition: times and what they cost. */
function storyOf(events: readonly { readonly event: RunEvent }[]): unknown[] {
  const untimed = new Set(["run-resumed", "run-interrupted", "cost-metered", "engine-started"]);
  return events.flatMap(({ event }) => {
    if (untimed.has(event.type)) return [];
    const { seconds: _, ...rest } = { seconds: 0, ...event };
    return [rest];
  });
}

let root: string;
const calls = new Map<Verb, number>();
let whole: unknown[];
beforeAll(async () => {
  root = await mkdtemp(join(tmpdir(), "whetstone-anywhere-"));
  const { events } = await run(
    definitionWith((verb) => void calls.set(verb, (calls.get(verb) ?? 0) + 1)),
    { folder: await mkdtemp(join(root, "run-")) },
  );
  whole = storyOf(events);
});
afterAll(() => rm(root, { recursive: true, force: true }));

/** A run that is asked to end while it waits for that call, which takes an hour unless whoever waits is told to stop. */
async function interruptedAt(verb: Verb, call: number, folder: string): Promise<RunResult> {
  const controller = new AbortController();
  let seen = 0;
  const hook: Hook = (which, waiting) => {
    if (which !== verb) return undefined;
    seen += 1;
    if (seen !== call) return undefined;
    setTimeout(() => controller.abort(), 5);
    return new Promise((_, reject) => {
      waiting?.signal?.addEventListener("abort", () => reject(waiting.signal?.reason));
    });
  };
  return await run(definitionWith(hook), { folder, signal: controller.signal });
}

test.each(verbs)(
  "asked to end while it waits for %s, a run ends at once, and goes on to the same end",
  async (verb) => {
    const count = calls.get(verb) ?? 0;
    expect(count).toBeGreaterThan(0);
    // The canaries, which no run waits for long, are judged before it begins.
    const first = verb === "verify" ? 120 : 1;
    for (const call of new Set([first, Math.ceil((first + count) / 2), count])) {
      const folder = await mkdtemp(join(root, "run-"));
      const ended = await interruptedAt(verb, call, folder);
      expect({ call, outcome: ended.outcome }).toEqual({ call, outcome: "interrupted" });
      expect(ended.events.at(-1)?.event).toMatchObject({
        type: "run-interrupted",
        reason: "The run was asked to end. Run the same command to go on.",
      });
      const resumed = await run(
        definitionWith(() => undefined),
        { folder },
      );
      expect(storyOf(resumed.events)).toEqual(whole);
    }
  },
);
