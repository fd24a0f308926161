import { expect, test, vi } from "vitest";
import type { Engine, EngineCapabilities } from "../../../foundation/contract/index.ts";
import { checkEngine, conformanceChecks, conformanceTests } from "./index.ts";

/** Says what it can, and can nothing. */
const capable = {
  losses: ["cross_entropy"],
  optimizers: ["adamw"],
  precisions: ["fp32"],
  extensions: [],
  topLogprobs: 0,
  loraRank: 0,
  tolerance: { fp32: { logprob: 1e-4, meanLogprob: 1e-4, gradient: 1e-4 } },
} as unknown as EngineCapabilities;
const broken = {
  capabilities: async () => capable,
  createModel: () => Promise.reject(new Error("the worker died")),
  loadSampler: () => Promise.reject(new Error("the worker died")),
} as unknown as Engine;
const subject = { engine: broken, modelFolder: "nowhere", vocabularySize: 12 };

test("what a check throws is its result, and the others go on", async () => {
  const heard: string[] = [];
  const results = await checkEngine(subject, {
    onResult: ({ name }, done, total) => heard.push(`${done}/${total} ${name}`),
  });
  expect(results.map(({ name }) => name)).toEqual(conformanceChecks().map(({ name }) => name));
  expect(heard).toHaveLength(results.length);
  expect(heard[0]).toBe(`1/${results.length} ${results[0]?.name}`);
  const failed = results.filter(({ outcome }) => outcome === "failed");
  expect(failed.length).toBeGreaterThan(30);
  for (const { reason } of failed) expect(reason).toBe("the worker died");
  expect(results.find(({ name }) => name.startsWith("an adapter begins"))).toMatchObject({
    outcome: "not-applicable",
    reason: "it has no adapters",
  });
});

test.each([
  [
    "a model that says nothing is held to what its engine says",
    undefined,
    "its logprobs in mixed are too rough for an edge",
  ],
  [
    "a model that says how near it is is held to that",
    { logprob: 1e-4, meanLogprob: 1e-4, gradient: 1e-4 },
    undefined,
  ],
])("%s", async (_, tolerance, excuse) => {
  const rough = { logprob: 1, meanLogprob: 0.1, gradient: 0.05 };
  const model = { info: { tolerance }, [Symbol.asyncDispose]: async () => undefined };
  const engine = {
    ...broken,
    capabilities: async () => ({ ...capable, losses: ["ppo"], tolerance: { mixed: rough } }),
    createModel: async () => model,
  } as unknown as Engine;
  const results = await checkEngine({ ...subject, engine, precision: "mixed" });
  const edges = results.filter(({ reason }) => reason === "its logprobs in mixed are too rough for an edge");
  expect(edges.length > 0).toBe(excuse !== undefined);
});

test("the fast part is a part, and a signal ends it", async () => {
  const fast = await checkEngine(subject, { fast: true });
  expect(fast.length).toBeLessThan(conformanceChecks().length / 2);
  const controller = new AbortController();
  const stopped = checkEngine(subject, {
    signal: controller.signal,
    onResult: () => controller.abort(new Error("enough")),
  });
  await expect(stopped).rejects.toThrow("enough");
});

test("a check that need not pass is a test that is skipped, with the reason", async () => {
  const tests = new Map<string, Parameters<Parameters<typeof conformanceTests>[0]>[1]>();
  conformanceTests(
    (name, run) => tests.set(name, run),
    () => subject,
  );
  expect([...tests.keys()]).toEqual(conformanceChecks().map(({ name }) => name));
  const excused = tests.get("an adapter begins as its base, and says what it is");
  // Some take a function with a parameter for one that calls back.
  expect(excused).toHaveLength(0);
  const skip = vi.fn<(reason: string) => void>();
  await excused?.({ skip });
  expect(skip).toHaveBeenCalledExactlyOnceWith("not applicable: it has no adapters");
  await excused?.();
  await expect(tests.get("a loss is a sum over positions")?.({ skip })).rejects.toThrow("the worker died");
});
