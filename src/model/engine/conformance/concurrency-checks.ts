import type { EngineModel, LoraOptions, Sampler, TokenIds } from "../../../foundation/contract/index.ts";
import { assert, assertAllClose, assertMoved, Comparison } from "./assert.ts";
import { type Bench, crossEntropy } from "./bench.ts";
import type { CheckDefinition } from "./check.ts";
import { assertTied } from "./ties.ts";

const quiet = { loss: crossEntropy, logprobs: "none" } as const;
const clients = 64;
const kinds = 4;

interface Client extends AsyncDisposable {
  readonly prompt: TokenIds;
  readonly logprobs: readonly number[];
  /** Its samples, of one prompt. */
  readonly samples: readonly TokenIds[];
  readonly sampler: Sampler;
}

/** What a client does, each kind its own: trains on its data, takes a sampler, and looks at what it says. */
async function client(bench: Bench, kind: number): Promise<Client> {
  const data = bench.astray([kind, kind + 1], 1 + kind / 4);
  await using model = await bench.unheld(1, loraOf(bench));
  for (let step = 0; step < 2; step++) {
    const pass = model.forwardBackward(data, quiet);
    await Promise.all([pass, model.optimStep(bench.step(0.05))]);
  }
  const sampler = await model.snapshot();
  const prompt = bench.sequence(kind);
  const [sampled, scored] = await Promise.all([
    sampler.sample([{ prompt, samples: 2, seed: kind, parameters: { maxTokens: 4, temperature: 0 } }]),
    sampler.logprobs([prompt]),
  ]);
  return {
    prompt,
    logprobs: Array.from(scored[0]?.subarray(1) ?? []),
    samples: sampled.flat().map(({ tokens }) => tokens),
    sampler,
    [Symbol.asyncDispose]: () => sampler[Symbol.asyncDispose](),
  };
}

/** So many models with weights of their own may take more than a machine has, and adapters of one base do not. */
function loraOf({ capabilities, subject }: Bench): LoraOptions | undefined {
  const { adapters = false, lora, trained = false } = subject;
  return lora ?? (trained && !adapters && capabilities.loraRank > 0 ? { rank: 2 } : undefined);
}

export const concurrencyChecks: readonly CheckDefinition[] = [
  {
    name: "models that take turns do not touch each other",
    fast: true,
    check: async (bench) => {
      const data = [bench.astray([0, 1, 2]), bench.astray([3, 4, 5], 1.5)];
      const lines = bench.weighted([0, 1, 2, 3, 4, 5]);
      const train = async (models: readonly EngineModel[], which: readonly number[]): Promise<void> => {
        for (let step = 0; step < 3; step++) {
          for (const one of which) await models[one]?.forwardBackward(data[one] ?? [], quiet);
          for (const one of which) await models[one]?.optimStep(bench.step(0.03, { epsilon: 1e-2 }));
        }
      };
      const apart = [await bench.model(), await bench.model()];
      const before = await bench.logprobs(apart[0] as EngineModel, lines);
      await train(apart, [0]);
      await train(apart, [1]);
      const inTurn = [await bench.model(), await bench.model()];
      await train(inTurn, [0, 1]);
      for (const one of [0, 1]) {
        const expected = await bench.logprobs(apart[one] as EngineModel, lines);
        const found = await bench.logprobs(inTurn[one] as EngineModel, lines);
        assertMoved(`the policy of model ${one}`, expected, before, bench.trainedCloseness);
        assertAllClose(
          bench,
          `a logprob of model ${one} of two in turn`,
          found,
          expected,
          bench.trainedCloseness,
        );
      }
    },
  },
  {
    name: `${clients} clients at once get what each would get alone`,
    check: async (bench) => {
      const alone = [];
      for (let kind = 0; kind < kinds; kind++) alone.push(bench.hold(await client(bench, kind)));
      const texts = new Set(alone.map(({ logprobs }) => logprobs.map((one) => one.toFixed(2)).join()));
      assert(texts.size === kinds, "clients that do other things get the same");
      const [untrained] = await (await bench.sampler()).logprobs([bench.sequence(0)]);
      const first = alone[0]?.logprobs ?? [];
      assertMoved("a client's policy", first, untrained?.subarray(1) ?? [], bench.trainedCloseness);
      const comparison = new Comparison(bench, bench.trainedCloseness);
      const settled = await Promise.allSettled(
        Array.from({ length: clients }, async (_, index) => {
          await using one = await client(bench, index % kinds);
          return one;
        }),
      );
      const together = settled.map((one) => {
        if (one.status === "rejected") throw one.reason;
        return one.value;
      });
      let differing = 0;
      for (const [index, { logprobs, samples }] of together.entries()) {
        const expected = alone[index % kinds] as Client;
        comparison.add(`a logprob of client ${index}`, logprobs, expected.logprobs);
        assert(samples.length === expected.samples.length, `client ${index} got ${samples.length} samples`);
        const parted = samples.flatMap((one, place) => {
          const other = expected.samples[place] as TokenIds;
          return one.join() === other.join() ? [] : [{ prompt: expected.prompt, one, other }];
        });
        if (parted.length > 0) differing += 1;
        await assertTied(bench, `client ${index}`, expected.sampler, parted, bench.trainedCloseness);
      }
      comparison.end("a logprob of a client");
      assert(
        differing <= bench.ties(clients),
        `${differing} of ${clients} clients got other samples than alone`,
      );
    },
  },
];
