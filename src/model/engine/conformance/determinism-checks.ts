import type {
  Determinism,
  ForwardResult,
  SampledSequence,
  SampleRequest,
  Sampler,
} from "../../../foundation/contract/index.ts";
import { assert } from "./assert.ts";
import { Bench, crossEntropy } from "./bench.ts";
import { anyOf, type CheckDefinition, type Excuse } from "./check.ts";

const quiet = { loss: crossEntropy, logprobs: "none" } as const;

interface Story {
  readonly passes: readonly ForwardResult[];
  readonly samples: readonly SampledSequence[];
  readonly scores: readonly Float32Array[];
}

const requestsOf = (bench: Bench, first: number): SampleRequest[] =>
  [0, 1, 2].map((index) => ({
    prompt: bench.sequence(first + index),
    samples: 8,
    seed: index,
    parameters: { maxTokens: 8, topP: 0.9 },
  }));

/** Training, and sampling by calls that do not wait for each other, with every number that comes back. */
async function story(bench: Bench): Promise<Story> {
  const model = await bench.model();
  const data = bench.weighted([0, 1, 2, 3, 4], 0.7);
  const passes = [];
  for (let step = 0; step < 3; step++) {
    passes.push(await model.forwardBackward(data, { loss: crossEntropy, logprobs: "all" }));
    await model.optimStep({ learningRate: 0.02 });
  }
  const samples = [];
  const scores = [];
  for (const sampler of [bench.hold(await model.snapshot()), await bench.sampler()]) {
    const [first, second, scored] = await Promise.all([
      sampler.sample(requestsOf(bench, 0)),
      sampler.sample(requestsOf(bench, 3)),
      sampler.logprobs(data.map(({ tokens }) => tokens)),
    ]);
    samples.push(...first.flat(), ...second.flat());
    scores.push(...scored);
  }
  return { passes, samples, scores };
}

const bitsOf = ({ passes, samples, scores }: Story): string =>
  JSON.stringify([
    passes.map(({ lossSum, logprobs }) => [lossSum, ...logprobs.flatMap((values) => Array.from(values))]),
    samples.map(({ tokens, logprobs }) => [...tokens, ...logprobs]),
    scores.map((values) => [...values]),
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

const claims =
  (what: Determinism): Excuse =>
  ({ deterministic = [] }) =>
    deterministic.includes(what) ? undefined : `it does not claim that (deterministic: "${what}")`;

export const determinismChecks: readonly CheckDefinition[] = [
  {
    name: "the same calls give the same bits, whatever runs beside them",
    excuse: claims("calls"),
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
  {
    name: "a sampler's answers have the same bits, whichever it gave before",
    excuse: claims("calls"),
    check: async (bench) => {
      const sequences = [2, 5, 8, 11, 14].map((index) => bench.sequence(index));
      const drawn = async (sampler: Sampler): Promise<string> =>
        bitsOf({ passes: [], samples: (await sampler.sample(requestsOf(bench, 0))).flat(), scores: [] });
      const read = async (sampler: Sampler): Promise<string> => {
        const scores = await sampler.logprobs(sequences);
        const certainties = (await sampler.certainty?.(sequences)) ?? [];
        return JSON.stringify([
          bitsOf({ passes: [], samples: [], scores }),
          certainties.map(({ entropy, selfCertainty }) => [...entropy, ...selfCertainty]),
        ]);
      };
      const trained = await bench.model();
      await trained.forwardBackward(bench.weighted([0, 1]), quiet);
      await trained.optimStep({ learningRate: 0.02 });
      for (const open of [
        () => bench.sampler(),
        async (): Promise<Sampler> => bench.hold(await trained.snapshot()),
      ]) {
        const [one, other] = [await open(), await open()];
        const [drawnFirst, readAfter] = [await drawn(one), await read(one)];
        const [readFirst, drawnAfter] = [await read(other), await drawn(other)];
        assert(readAfter === readFirst, "what is read has other bits once the sampler has sampled");
        assert(drawnAfter === drawnFirst, "samples have other bits once the sampler was read");
        await one.sample(requestsOf(bench, 5));
        assert((await drawn(one)) === drawnFirst, "samples have other bits once others were drawn");
      }
    },
  },
  {
    name: "the same calls give the same bits in another engine",
    excuse: anyOf(claims("engines"), (_, { another }) =>
      another === undefined ? "there is no other one to compare with" : undefined,
    ),
    check: async (bench) => {
      const { subject, capabilities } = bench;
      const here = bitsOf(await story(bench));
      const { another } = subject;
      assert(another !== undefined, "there is no other engine");
      await using engine = await another();
      await using there = new Bench({ ...subject, engine }, capabilities, 1, bench.lines);
      assert(bitsOf(await story(there)) === here, "the same calls give other bits in another engine");
    },
  },
  {
    name: "a sequence has the same bits whatever else is in its call",
    excuse: claims("batches"),
    check: async (bench) => {
      const sampler = await bench.sampler();
      const requests = requestsOf(bench, 0);
      const sequences = requests.map(({ prompt }) => prompt);
      const drawn = await sampler.sample(requests);
      const scored = await sampler.logprobs(sequences);
      for (const [index, request] of requests.entries()) {
        const [alone = []] = await sampler.sample([request]);
        const together = { passes: [], samples: drawn[index] ?? [], scores: scored.slice(index, index + 1) };
        const scores = await sampler.logprobs(sequences.slice(index, index + 1));
        assert(
          bitsOf({ passes: [], samples: alone, scores }) === bitsOf(together),
          `sequence ${index} has other bits alone than in a batch`,
        );
      }
    },
  },
];
