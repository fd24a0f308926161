import type { EngineModel, LoraOptions } from "../../../foundation/contract/index.ts";
import { assert, assertAllClose, assertMoved, assertRefused } from "./assert.ts";
import { type Bench, crossEntropy } from "./bench.ts";
import { anyOf, type CheckDefinition, type Excuse, holdsOwnAdapters } from "./check.ts";

const quiet = { loss: crossEntropy, logprobs: "none" } as const;
const adapters: LoraOptions = { rank: 2 };

const noAdapters: Excuse = ({ loraRank }) => (loraRank > 0 ? undefined : "it has no adapters");
/** An engine that trains nothing but adapters has no other models to compare with. */
const nothingElse: Excuse = (_, { lora }) =>
  lora === undefined ? undefined : "every model has adapters here";

async function train(bench: Bench, model: EngineModel, steps: number, weight = 1): Promise<void> {
  for (let step = 0; step < steps; step++) {
    await model.forwardBackward(bench.astray(bench.several, weight + step), quiet);
    await model.optimStep(bench.step(0.02, { epsilon: 1e-2 }));
  }
}

const measure = (bench: Bench, model: EngineModel): Promise<number[]> =>
  bench.logprobs(model, bench.weighted(bench.several));

export const adapterChecks: readonly CheckDefinition[] = [
  {
    name: "an adapter begins as its base, and says what it is",
    excuse: anyOf(noAdapters, nothingElse, holdsOwnAdapters),
    check: async (bench) => {
      const base = await bench.model();
      const asked: readonly LoraOptions[] = [
        adapters,
        { rank: 1, alpha: 8, modules: ["attention"], seed: 5 },
        { rank: 2, modules: ["mlp", "unembed"] },
      ];
      const expected = await measure(bench, base);
      for (const lora of asked) {
        const model = await bench.model(1, lora);
        assertAllClose(
          bench,
          "a logprob of a new adapter",
          await measure(bench, model),
          expected,
          bench.logprobCloseness,
        );
        const told = model.info.lora;
        const { rank, alpha = 32, modules = ["attention", "mlp"] } = lora;
        assert(
          told?.rank === rank &&
            told.alpha === alpha &&
            [...told.modules].sort().join() === [...modules].sort().join(),
          `an adapter of ${JSON.stringify(lora)} says that it is ${JSON.stringify(told)}`,
        );
      }
      assert(base.info.lora === undefined, "a model without adapters says that it has some");
    },
  },
  {
    name: "adapters of one base touch neither each other nor it",
    excuse: anyOf(noAdapters, holdsOwnAdapters),
    check: async (bench) => {
      const base = await bench.sampler();
      const untouched = await bench.scores(base);
      const alone = [await bench.model(1, adapters), await bench.model(1, adapters)];
      const weights = [1, -0.5];
      for (const [index, model] of alone.entries()) await train(bench, model, 3, weights[index]);
      const expected = [];
      for (const model of alone) expected.push(await measure(bench, model));
      assertMoved("an adapter", expected[0] ?? [], untouched, bench.trainedCloseness);
      assertMoved(
        "one adapter, from the other,",
        expected[0] ?? [],
        expected[1] ?? [],
        bench.trainedCloseness,
      );
      const inTurn = [await bench.model(1, adapters), await bench.model(1, adapters)];
      for (let step = 0; step < 3; step++) {
        for (const [index, model] of inTurn.entries())
          await model.forwardBackward(bench.astray(bench.several, (weights[index] as number) + step), quiet);
        for (const model of inTurn) await model.optimStep(bench.step(0.02, { epsilon: 1e-2 }));
      }
      for (const [index, model] of inTurn.entries())
        assertAllClose(
          bench,
          `a logprob of adapter ${index} of two in turn`,
          await measure(bench, model),
          expected[index] ?? [],
          bench.trainedCloseness,
        );
      assertAllClose(
        bench,
        "a logprob of their base",
        await bench.scores(base),
        untouched,
        bench.logprobCloseness,
      );
    },
  },
  {
    name: "an adapter goes on as it was saved, and can be sampled from",
    excuse: anyOf(noAdapters, holdsOwnAdapters),
    check: async (bench) => {
      const model = await bench.model(1, adapters);
      await train(bench, model, 2);
      const path = await bench.path("adapter");
      await model.save({ path });
      const saved = await measure(bench, model);
      const again = await bench.modelFrom({ kind: "checkpoint", path, optimizer: true });
      assert(again.info.lora?.rank === adapters.rank, `it is loaded with rank ${again.info.lora?.rank}`);
      assertAllClose(
        bench,
        "a logprob of the loaded adapter",
        await measure(bench, again),
        saved,
        bench.logprobCloseness,
      );
      for (const one of [model, again]) await train(bench, one, 1);
      const next = await measure(bench, model);
      assertMoved("the adapter", next, saved, bench.trainedCloseness);
      assertAllClose(
        bench,
        "a logprob after the next step",
        await measure(bench, again),
        next,
        bench.trainedCloseness,
      );
      const source = { kind: "checkpoint", path, optimizer: false } as const;
      const sampler = bench.hold(await bench.subject.engine.loadSampler({ source, ...bench.loading }));
      assertAllClose(
        bench,
        "a logprob of the adapter's sampler",
        await bench.scores(sampler),
        saved,
        bench.logprobCloseness,
      );
    },
  },
  {
    name: "ranks that there are not are refused",
    excuse: anyOf(noAdapters, holdsOwnAdapters),
    check: async (bench) => {
      for (const rank of [-1, 0.5, bench.capabilities.loraRank + 1])
        await assertRefused(`rank ${rank}`, () => bench.model(1, { rank }));
      await assertRefused("a module that there is not", () =>
        bench.model(1, { rank: 1, modules: ["mystery" as "mlp"] }),
      );
      await assertRefused("adapters on no module", () => bench.model(1, { rank: 1, modules: [] }));
    },
  },
];
