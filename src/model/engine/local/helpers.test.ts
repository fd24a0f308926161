import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test, vi } from "vitest";
import type { Datum, ForwardResult, OptimizerResult } from "../../../foundation/contract/index.ts";
import { type LocalEngine, local } from "./index.ts";
import { processOfWorker, SmallEngines, train, vocabulary } from "./testing/small-engine.ts";
import { Worker } from "./worker.ts";

let engines: SmallEngines;
beforeAll(async () => {
  engines = await SmallEngines.make();
}, 600_000);
afterAll(() => engines[Symbol.asyncDispose]());

/** More positions than one process computes by itself. */
const many: readonly Datum[] = Array.from({ length: 300 }, (_, row) => {
  const line = Int32Array.from({ length: 50 + (row % 15) }, (_, place) => (row + place * place) % vocabulary);
  return {
    tokens: line.subarray(0, -1),
    targets: line.subarray(1),
    weights: new Float32Array(line.length - 1).fill(1 / 3000),
  };
});

interface Learnt {
  readonly passes: readonly ForwardResult[];
  readonly steps: readonly OptimizerResult[];
}

async function learnt(engine: LocalEngine, between = (): void => undefined): Promise<Learnt> {
  await using model = await engines.newModel(5, engine);
  const passes: ForwardResult[] = [];
  const steps: OptimizerResult[] = [];
  for (let step = 0; step < 3; step++) {
    passes.push(await model.forwardBackward(many, { loss: { name: "cross_entropy" } }));
    steps.push(await model.optimStep({ learningRate: 1e-2 }));
    between();
  }
  return { passes, steps };
}

function helpersOf(process: number): number[] {
  const children = readFileSync(`/proc/${process}/task/${process}/children`, "utf8");
  return children.trim().split(" ").filter(Boolean).map(Number);
}

const opened = (name: string, helpers: number): LocalEngine =>
  engines.open(1, join(engines.folder, name), 1, undefined, helpers);

describe.runIf(process.platform === "linux")("a large batch of a small model", () => {
  test("is learnt from by several processes as by one, with the same bits whoever is there", async () => {
    await using one = opened("one", 0);
    await using two = opened("two", 1);
    await using again = opened("again", 1);
    const [alone, together] = [await learnt(one), await learnt(two)];
    for (const [index, { lossSum, logprobs }] of together.passes.entries()) {
      const expected = alone.passes[index] as ForwardResult;
      expect(lossSum).toBeCloseTo(expected.lossSum, 4);
      for (const [row, values] of logprobs.entries())
        for (const [place, value] of values.entries())
          expect(Math.abs(value - (expected.logprobs[row]?.[place] as number))).toBeLessThan(1e-3);
    }
    await again.capabilities();
    const worker = processOfWorker(join(engines.folder, "again"), 1);
    const [helper] = helpersOf(worker) as [number];
    const endHelper = (): void => {
      if (helpersOf(worker).includes(helper)) process.kill(helper, "SIGKILL");
    };
    expect(await learnt(again, endHelper)).toEqual(together);
    expect(helpersOf(worker)).toEqual([]);
    expect(together).not.toEqual(alone);
  }, 120_000);

  test("is computed by one where another worker has something to do, except where bits must be equal", async () => {
    const asked = vi.spyOn(Worker.prototype, "call");
    const helped = (): unknown[] =>
      asked.mock.calls.filter(([verb]) => verb === "forward").map(([, { helped: whether }]) => whether);
    const loss = { name: "cross_entropy" } as const;
    await using engine = engines.open(2, join(engines.folder, "beside"), 1, undefined, 1);
    await using first = await engines.newModel(1, engine);
    await using second = await engines.newModel(2, engine);
    await first.forward(many, { loss });
    await Promise.all([second, first].map((model) => model.forward(many, { loss })));
    await first.forward(many, { loss });
    expect(helped()).toEqual([undefined, undefined, false, undefined]);
    asked.mockClear();
    await using exact = await local({ workers: 2, deterministic: true }).open({
      logFolder: join(engines.folder, "exact"),
    });
    const models = [await engines.newModel(1, exact), await engines.newModel(2, exact)];
    await Promise.all(models.map((model) => model.forward(many, { loss })));
    expect(helped()).toEqual([undefined, undefined]);
    asked.mockRestore();
  }, 120_000);

  test("has helpers that end with their worker", async () => {
    const logs = join(engines.folder, "ending");
    let helper = 0;
    {
      await using engine = engines.open(1, logs, 2, undefined, 2);
      await using model = await engines.newModel(1, engine);
      await train(model, 1);
      const helpers = helpersOf(processOfWorker(logs, 1));
      expect(helpers).toHaveLength(2);
      helper = helpers[0] as number;
    }
    await expect.poll(() => readdirSync("/proc").includes(String(helper)), { timeout: 10_000 }).toBe(false);
  });
});
