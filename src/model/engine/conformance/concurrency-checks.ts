import type { EngineModel, ForwardResult, SampledSequence } from "../../../foundation/contract/index.ts";
import { assert, assertAllClose, assertMoved } from "./assert.ts";
import { type Bench, crossEntropy } from "./bench.ts";
import type { CheckDefinition } from "./check.ts";

const quiet = { loss: crossEntropy, logprobs: "none" } as const;
const clients = 64;
const kinds = 4;

/** What a client does, each kind its own: trains on its data, takes a sampler, and looks at what it says. */
async function client(bench: Bench, kind: number): Promise<{ logprobs: number[]; tokens: string }> {
  const data = bench.weighted([kind, kind + 1], 1 + kind / 4);
  await using model = await bench.unheld(1);
  for (let step = 0; step < 2; step++) {
    const pass = model.forwardBackward(data, quiet);
    await Promise.all([pass, model.optimStep({ learningRate: 0.05, weightDecay: 0 })]);
  }
  await using sampler = await model.snapshot();
  const prompt = bench.sequence(kind);
  const [sampled, scored] = await Promise.all([
    sampler.sample([{ prompt, samples: 2, seed: kind, parameters: { maxTokens: 4, temperature: 0 } }]),
    sampler.logprobs([prompt]),
  ]);
  return {
    logprobs: Array.from(scored[0]?.subarray(1) ?? []),
    tokens: sampled
      .flat()
      .map(({ tokens }) => tokens.join())
      .join(" "),
  };
}

interface Story {
  readonly passes: readonly ForwardResult[];
  readonly samples: readonly SampledSequence[];
}

/** Training and sampling, with every number that comes back. */
async function story(bench: Bench): Promise<Story> {
  const model = await bench.model();
  const data = bench.weighted([0, 1, 2, 3, 4], 0.7);
  const passes = [];
  for (let step = 0; step < 3; step++) {
    passes.push(await model.forwardBackward(data, { loss: crossEntropy, logprobs: "all" }));
    await model.optimStep({ learningRate: 0.02 });
  }
  const sampler = bench.hold(await model.snapshot());
  const requests = [0, 1, 2].map((index) => ({
    prompt: bench.sequence(index),
    samples: 4,
    seed: index,
    parameters: { maxTokens: 8, topP: 0.9 },
  }));
  return { passes, samples: (await sampler.sample(requests)).flat() };
}

const bitsOf = ({ passes, samples }: Story): string =>
  JSON.stringify([
    passes.map(({ lossSum, logprobs }) => [lossSum, ...logprobs.flatMap((values) => Array.from(values))]),
    samples.map(({ tokens, logprobs }) => [...tokens, ...logprobs]),
  ]);

/** Trains and samples without end, until it is told to. */
async function noise(bench: Bench, done: () => boolean): Promise<void> {
  const model = await bench.model(2);
  const sampler = await bench.sampler(3);
  for (let round = 0; !done(); round++) {
    await model.forwardBackward(bench.weighted([round % 5, 2]), quiet);
    await model.optimStep({ learningRate: 0.01 });
    await sampler.sample([
      { prompt: bench.sequence(round), samples: 3, seed: round, parameters: { maxTokens: 5 } },
    ]);
  }
}

export const concurrencyChecks: readonly CheckDefinition[] = [
  {
    name: "models that take turns do not touch each other",
    fast: true,
    check: async (bench) => {
      const data = [bench.weighted([0, 1, 2]), bench.weighted([3, 4, 5], 1.5)];
      const train = async (models: readonly EngineModel[], which: readonly number[]): Promise<void> => {
        for (let step = 0; step < 3; step++) {
          for (const one of which) await models[one]?.forwardBackward(data[one] ?? [], quiet);
          for (const one of which)
            await models[one]?.optimStep({ learningRate: 0.03, epsilon: 1e-2, weightDecay: 0 });
        }
      };
      const apart = [await bench.model(), await bench.model()];
      const before = await bench.logprobs(apart[0] as EngineModel, data[0] ?? []);
      await train(apart, [0]);
      await train(apart, [1]);
      const inTurn = [await bench.model(), await bench.model()];
      await train(inTurn, [0, 1]);
      for (const one of [0, 1]) {
        const expected = await bench.logprobs(apart[one] as EngineModel, data.flat());
        const found = await bench.logprobs(inTurn[one] as EngineModel, data.flat());
        if (one === 0)
          assertMoved("the policy", expected.slice(0, before.length), before, bench.trainedTolerance);
        assertAllClose(
          bench,
          `a logprob of model ${one} of two in turn`,
          found,
          expected,
          bench.trainedTolerance,
        );
      }
    },
  },
  {
    name: `${clients} clients at once get what each would get alone`,
    check: async (bench) => {
      const alone = [];
      for (let kind = 0; kind < kinds; kind++) alone.push(await client(bench, kind));
      const texts = new Set(alone.map(({ logprobs }) => logprobs.map((one) => one.toFixed(2)).join()));
      assert(texts.size === kinds, "clients that do other things get the same");
      const together = await Promise.all(
        Array.from({ length: clients }, (_, index) => client(bench, index % kinds)),
      );
      let differing = 0;
      for (const [index, { logprobs, tokens }] of together.entries()) {
        const expected = alone[index % kinds] as (typeof alone)[number];
        assertAllClose(
          bench,
          `a logprob of client ${index}`,
          logprobs,
          expected.logprobs,
          bench.trainedTolerance,
        );
        if (tokens !== expected.tokens) differing += 1;
      }
      // One that differs is a tie, and those are rare.
      assert(differing <= clients / 15, `${differing} of ${clients} clients got other samples than alone`);
    },
  },
  {
    name: "the same calls give the same bits, whatever runs beside them",
    excuse: ({ deterministic }) =>
      deterministic === true ? undefined : "it does not claim to be deterministic",
    check: async (bench) => {
      const quietly = bitsOf(await story(bench));
      assert(bitsOf(await story(bench)) === quietly, "the same calls give other bits");
      let done = false;
      const noises = [noise(bench, () => done), noise(bench, () => done)];
      const [busy, meanwhile] = await Promise.all([story(bench), story(bench)]).finally(() => {
        done = true;
      });
      await Promise.all(noises);
      assert(
        bitsOf(busy) === quietly && bitsOf(meanwhile) === quietly,
        "the same calls give other bits beside others",
      );
    },
  },
];
