import { assert, assertAllClose, assertClose, assertMoved, assertRefused } from "./assert.ts";
import { crossEntropy } from "./bench.ts";
import type { CheckDefinition } from "./check.ts";

const indices = [0, 1, 2];
const quiet = { loss: crossEntropy, logprobs: "none" } as const;
const rate = 0.01;

export const sequenceChecks: readonly CheckDefinition[] = [
  {
    name: "a call that was applied is answered from its record, and not run again",
    fast: true,
    check: async (bench) => {
      const model = await bench.model();
      const data = bench.astray(indices);
      const before = await bench.logprobs(model, data);
      const pass = await model.forwardBackward(data, quiet);
      const again = await model.forwardBackward(data, { ...quiet, sequence: pass.sequence });
      assert(again.sequence === pass.sequence, `call ${pass.sequence} was answered as ${again.sequence}`);
      assert(again.lossSum === pass.lossSum, "a repeated pass has another loss");
      const applied = await model.optimStep(bench.step(rate));
      const once = await bench.model();
      await once.forwardBackward(data, quiet);
      const plain = await once.optimStep(bench.step(rate));
      assertClose(
        bench,
        "the gradient of a repeated pass",
        applied.gradientNorm / plain.gradientNorm,
        1,
        bench.gradientTolerance,
      );
      const after = await bench.logprobs(model, data);
      assertMoved("the policy", after, before, bench.trainedCloseness);
      const repeated = await model.optimStep(bench.step(rate, { sequence: applied.sequence }));
      assert(
        repeated.step === applied.step && repeated.gradientNorm === applied.gradientNorm,
        `step ${applied.step} was answered as step ${repeated.step} when it was repeated`,
      );
      const still = await bench.logprobs(model, data);
      assertAllClose(bench, "a logprob after a repeated step", still, after, bench.logprobCloseness);
      const next = await model.optimStep(bench.step(rate));
      assert(next.step === applied.step + 1, `step ${next.step} came after step ${applied.step}`);
    },
  },
  {
    name: "a pass and a save that are asked for again are answered from their record",
    check: async (bench) => {
      const model = await bench.model();
      const data = bench.astray(indices);
      const first = await model.forward(data, { loss: crossEntropy });
      const path = await bench.path("again");
      const saved = await model.save({ path });
      await model.forwardBackward(data, quiet);
      await model.optimStep(bench.step(rate));
      const repeated = await model.forward(data, { loss: crossEntropy, sequence: first.sequence });
      assert(repeated.lossSum === first.lossSum, "a repeated forward has another loss");
      for (const [index, logprobs] of first.logprobs.entries())
        assertAllClose(bench, "a logprob of a repeated forward", repeated.logprobs[index] ?? [], logprobs, 0);
      const again = await model.save({ path, sequence: saved.sequence });
      assert(
        again.path === saved.path && again.bytes === saved.bytes,
        `a repeated save wrote ${again.bytes} bytes, and ${saved.bytes} before`,
      );
      const loaded = await bench.modelFrom({ kind: "checkpoint", path, optimizer: true });
      const kept = first.logprobs.flatMap((values) => Array.from(values));
      const found = await bench.logprobs(loaded, data);
      assertAllClose(bench, "a logprob of what was saved", found, kept, bench.logprobCloseness);
      assertMoved("the policy", await bench.logprobs(model, data), kept, bench.trainedCloseness);
    },
  },
  {
    name: "a snapshot that is asked for again is the same one",
    check: async (bench) => {
      const model = await bench.model();
      const first = await model.forward(bench.astray(indices), quiet);
      const sequence = bench.sequence(0);
      const sampler = bench.hold(await model.snapshot());
      const before = await sampler.logprobs([sequence]);
      await model.forwardBackward(bench.astray(indices), quiet);
      await model.optimStep(bench.step(rate));
      const again = bench.hold(await model.snapshot({ sequence: first.sequence + 1 }));
      assert(
        again.weightVersion === sampler.weightVersion,
        `a repeated snapshot is of ${again.weightVersion}`,
      );
      const after = await again.logprobs([sequence]);
      assertAllClose(
        bench,
        "a logprob of a repeated snapshot",
        after[0]?.subarray(1) ?? [],
        before[0]?.subarray(1) ?? [],
        bench.logprobCloseness,
      );
      const [newest = new Float32Array()] = await bench.hold(await model.snapshot()).logprobs([sequence]);
      assertMoved("the policy", newest.subarray(1), before[0]?.subarray(1) ?? [], bench.logprobCloseness);
    },
  },
  {
    name: "calls are numbered one after the other, and a failed one uses no number",
    check: async (bench) => {
      const model = await bench.model();
      const data = bench.astray(indices);
      const { sequence } = await model.forwardBackward(data, quiet);
      const broken = data.map((datum) => ({
        ...datum,
        targets: datum.targets.map(() => bench.subject.vocabularySize),
      }));
      await assertRefused(
        "a target outside the vocabulary",
        () => model.forwardBackward([...data, ...broken], quiet),
        "token-out-of-range",
      );
      const applied = await model.optimStep(bench.step(rate));
      assert(
        applied.sequence === sequence + 1,
        `call ${applied.sequence} came after call ${sequence} and a failed one`,
      );
      const once = await bench.model();
      await once.forwardBackward(data, quiet);
      const { gradientNorm } = await once.optimStep(bench.step(rate));
      assertClose(
        bench,
        "the gradient after a failed call",
        applied.gradientNorm / gradientNorm,
        1,
        bench.gradientTolerance,
      );
    },
  },
  {
    name: "a number that skips ahead is refused, and changes nothing",
    check: async (bench) => {
      const model = await bench.model();
      const { sequence } = await model.forwardBackward(bench.astray(indices), quiet);
      await assertRefused(
        "a call that skips ahead",
        () => model.optimStep(bench.step(rate, { sequence: sequence + 5 })),
        "sequence-gap",
      );
      const applied = await model.optimStep(bench.step(rate));
      assert(applied.sequence === sequence + 1, `call ${applied.sequence} came after call ${sequence}`);
      assert(applied.step === 1, `the first step is counted as ${applied.step}`);
      assert(applied.gradientNorm > 0, "the gradient is gone");
    },
  },
  {
    name: "calls run in the order in which they are made",
    fast: true,
    check: async (bench) => {
      const [waited, piped] = [await bench.model(), await bench.model()];
      const before = await bench.logprobs(waited, bench.astray(indices));
      const losses: number[] = [];
      for (let round = 0; round < 4; round++) {
        losses.push((await waited.forwardBackward(bench.astray(indices, 1 + round), quiet)).lossSum);
        await waited.optimStep(bench.step(rate));
      }
      const calls = Array.from({ length: 4 }, (_, round) => {
        const pass = piped.forwardBackward(bench.astray(indices, 1 + round), quiet);
        return Promise.all([pass, piped.optimStep(bench.step(rate))]);
      });
      const passes = await Promise.all(calls);
      const sums = passes.map(([{ lossSum }]) => lossSum);
      assertAllClose(bench, "the loss of a call that did not wait", sums, losses, bench.derivedTolerance());
      const after = await bench.logprobs(waited, bench.astray(indices));
      assertMoved("the policy", after, before, bench.trainedCloseness);
      const unwaited = await bench.logprobs(piped, bench.astray(indices));
      assertAllClose(
        bench,
        "a logprob after calls that did not wait",
        unwaited,
        after,
        bench.trainedCloseness,
      );
    },
  },
  {
    name: "the engine counts what it does",
    check: async (bench) => {
      const model = await bench.model();
      const sampler = bench.hold(await model.snapshot());
      const { engine } = bench.subject;
      const before = engine.cost();
      const data = bench.astray(indices);
      await model.forwardBackward(data, quiet);
      await model.optimStep(bench.step(rate));
      const [[sample] = []] = await sampler.sample([
        { prompt: bench.sequence(0), samples: 1, seed: 1, parameters: { maxTokens: 5 } },
      ]);
      const after = engine.cost();
      const trained = data.reduce((sum, { tokens }) => sum + tokens.length, 0);
      const counted = [
        after.optimizerSteps - before.optimizerSteps,
        after.tokensTrained - before.tokensTrained,
        after.tokensSampled - before.tokensSampled,
      ];
      assertAllClose(
        bench,
        "steps, tokens trained, tokens sampled",
        counted,
        [1, trained, sample?.tokens.length ?? 0],
        0,
      );
      assert(after.busySeconds > before.busySeconds, "the engine has not been busy");
    },
  },
];
