import type {
  EngineCapabilities,
  Sampler,
  TokenIds,
  TopLogprobs,
} from "../../../foundation/contract/index.ts";
import { assert, assertAllClose, assertClose, assertMoved, fail } from "./assert.ts";
import { type Bench, crossEntropy } from "./bench.ts";
import { anyOf, type CheckDefinition, type Excuse, manyTokens } from "./check.ts";

const indices = [0, 1, 2, 3];

const lacksTop: Excuse = ({ topLogprobs }) =>
  topLogprobs > 0 ? undefined : "it has no most probable tokens";
const lacksExtension =
  (name: EngineCapabilities["extensions"][number]): Excuse =>
  ({ extensions }) =>
    extensions.includes(name) ? undefined : `it has no ${name}`;

/** Logprobs of every id after each prefix of a sequence: row p predicts token p. */
async function rows(
  bench: Bench,
  sampler: Sampler,
  sequence: TokenIds,
): Promise<readonly (readonly number[])[]> {
  const all: number[][] = [[]];
  for (let position = 1; position < sequence.length; position++)
    all.push((await bench.distribution(sampler, sequence.subarray(0, position))).map(Math.log));
  return all;
}

/** The tokens at a position are k different ones, the most probable first, and none is more probable than they. */
function assertRow(
  bench: Bench,
  top: TopLogprobs,
  position: number,
  row: readonly number[],
  what: string,
): void {
  const tokens = top.tokens.subarray(position * top.k, (position + 1) * top.k);
  const logprobs = top.logprobs.subarray(position * top.k, (position + 1) * top.k);
  assert(new Set(tokens).size === top.k, `${what}: a token is there twice`);
  const best = [...row].sort((a, b) => b - a).slice(0, top.k);
  // Their logprobs, in order, rather than the tokens: ties are as good as each other.
  assertAllClose(bench, `${what}: a logprob`, logprobs, best, bench.logprobTolerance);
  assertAllClose(
    bench,
    `${what}: a logprob, against its token's,`,
    logprobs,
    Array.from(tokens, (token) => row[token] as number),
    bench.logprobTolerance,
  );
}

function shapeOf(top: TopLogprobs | undefined, k: number, positions: number, what: string): TopLogprobs {
  if (top?.k !== k || top.tokens.length !== k * positions || top.logprobs.length !== k * positions)
    fail(`${what} has not ${k} tokens at each of ${positions} positions`);
  return top;
}

export const extensionChecks: readonly CheckDefinition[] = [
  {
    name: "the most probable tokens are those of the model itself",
    excuse: anyOf(lacksTop, manyTokens),
    check: async (bench) => {
      const sampler = await bench.sampler();
      const k = Math.min(4, bench.capabilities.topLogprobs, bench.tokens.length);
      const sequences = [0, 1, 2].map((index) => bench.sequence(index));
      const scored = await sampler.score?.(sequences, { top: k });
      if (scored === undefined) fail("there is no score()");
      const plain = await sampler.logprobs(sequences);
      for (const [index, sequence] of sequences.entries()) {
        const what = `sequence ${index}`;
        const { logprobs, top: told } = scored[index] ?? { logprobs: new Float32Array() };
        assertAllClose(
          bench,
          `${what}: a logprob of score()`,
          logprobs,
          plain[index] ?? [],
          bench.logprobTolerance,
        );
        const top = shapeOf(told, k, sequence.length, what);
        assert(top.logprobs.subarray(0, k).every(Number.isNaN), "a first token has a prediction");
        const expected = await rows(bench, sampler, sequence);
        for (let position = 1; position < sequence.length; position++)
          assertRow(bench, top, position, expected[position] ?? [], `${what} at ${position}`);
      }
    },
  },
  {
    name: "sampled positions tell their most probable tokens, whatever filtered them",
    excuse: anyOf(lacksTop, manyTokens),
    check: async (bench) => {
      const sampler = await bench.sampler();
      const k = Math.min(3, bench.capabilities.topLogprobs);
      const prompt = bench.sequence(1);
      const parameters = { maxTokens: 4, temperature: 2, topP: 0.9 };
      const ask = async (topLogprobs: number) => {
        const [[sample] = []] = await sampler.sample([
          { prompt, samples: 1, seed: 3, parameters: { ...parameters, topLogprobs } },
        ]);
        return sample ?? fail("there is no sample");
      };
      const [plain, sample] = [await ask(0), await ask(k)];
      assert(plain.top === undefined, "tokens came back though none were asked for");
      assert(plain.tokens.join() === sample.tokens.join(), "asking for them changes the sample");
      const top = shapeOf(sample.top, k, sample.tokens.length, "the sample");
      const expected = await rows(bench, sampler, Int32Array.of(...prompt, ...sample.tokens));
      for (let at = 0; at < sample.tokens.length; at++)
        assertRow(bench, top, at, expected[prompt.length + at] ?? [], `sampled token ${at}`);
    },
  },
  {
    name: "certainty is that of the distribution",
    excuse: anyOf(lacksExtension("certainty"), manyTokens),
    check: async (bench) => {
      const sampler = await bench.sampler();
      const sequences = [0, 1, 2].map((index) => bench.sequence(index));
      const told = await sampler.certainty?.(sequences);
      if (told === undefined) fail("there is no certainty()");
      for (const [index, sequence] of sequences.entries()) {
        const { entropy, selfCertainty } = told[index] ?? fail(`sequence ${index} has no certainty`);
        assert(Number.isNaN(entropy[0]) && Number.isNaN(selfCertainty[0]), "a first token has a certainty");
        const expected = (await rows(bench, sampler, sequence)).slice(1).map((row) => {
          const possible = row.filter((logprob) => logprob > Number.NEGATIVE_INFINITY);
          const sum = possible.reduce((total, logprob) => total + logprob, 0);
          return {
            entropy: possible.reduce((total, logprob) => total - Math.exp(logprob) * logprob, 0),
            selfCertainty: -Math.log(possible.length) - sum / possible.length,
          };
        });
        const within = 4 * bench.logprobTolerance;
        assertAllClose(
          bench,
          `entropy of sequence ${index}`,
          entropy.subarray(1),
          expected.map((one) => one.entropy),
          within,
        );
        assertAllClose(
          bench,
          `self-certainty of sequence ${index}`,
          selfCertainty.subarray(1),
          expected.map((one) => one.selfCertainty),
          within,
        );
      }
    },
  },
  {
    name: "a mean embedding is the mean of the last ones of all prefixes",
    excuse: lacksExtension("embeddings"),
    check: async (bench) => {
      const sampler = await bench.sampler();
      const embed = async (sequences: readonly TokenIds[], pooling: "mean" | "last") =>
        (await sampler.embed?.(sequences, { pooling })) ?? fail("there is no embed()");
      // What a causal model thinks at a position depends on what is before it alone.
      const sequences = indices.map((index) => bench.sequence(index));
      const means = await embed(sequences, "mean");
      for (const [index, sequence] of sequences.entries()) {
        const prefixes = Array.from(sequence, (_, at) => sequence.subarray(0, at + 1));
        const lasts = await embed(prefixes, "last");
        const width = lasts[0]?.length ?? 0;
        const expected = Array.from({ length: width }, (_, dimension) =>
          lasts.reduce((sum, last) => sum + (last[dimension] as number) / lasts.length, 0),
        );
        assertAllClose(
          bench,
          `the mean embedding of sequence ${index}`,
          means[index] ?? [],
          expected,
          10 * bench.logprobTolerance,
        );
        assertMoved(
          "the last embedding, from the mean,",
          lasts.at(-1) ?? [],
          expected,
          10 * bench.logprobTolerance,
        );
        const [alone] = await embed([sequence], "mean");
        assertAllClose(
          bench,
          "an embedding alone",
          alone ?? [],
          means[index] ?? [],
          10 * bench.logprobTolerance,
        );
      }
      assertMoved(
        "an embedding, from another sequence's,",
        means[0] ?? [],
        means[1] ?? [],
        bench.logprobTolerance,
      );
    },
  },
  {
    name: "gradient features have the gradients' lengths and angles",
    excuse: lacksExtension("gradient-features"),
    check: async (bench) => {
      const model = await bench.model();
      // The last two of one sequence: neither alike nor at right angles.
      const uneven = bench.data([3], (length) => ({
        weights: Float32Array.from({ length }, (_, place) => (place % 2 === 0 ? 1.5 : 0.4)),
      }));
      const data = [...bench.weighted(indices), ...uneven];
      const gradients = async (dimensions: number, given = data, seed = 1) =>
        (await model.gradientFeatures?.(given, { loss: crossEntropy, dimensions, seed })) ??
        fail("there is no gradientFeatures()");
      const dimensions = 1024;
      const features = await gradients(dimensions);
      for (const one of features)
        assert(one.length === dimensions, `${one.length} features instead of ${dimensions}`);
      const squares: number[] = [];
      for (const datum of data) {
        await model.forwardBackward([datum], { loss: crossEntropy, logprobs: "none" });
        squares.push((await bench.gradientNorm(model)) ** 2);
      }
      // The variance of a squared length is at most 2/dimensions of its square (arXiv 2303.14186 after Johnson and Lindenstrauss).
      const deviations = 5 * Math.sqrt(2 / dimensions);
      for (const [index, one] of features.entries())
        assertClose(
          bench,
          `the squared length of features ${index}, over the gradient's,`,
          dot(one, one) / (squares[index] as number),
          1,
          deviations,
        );
      await model.forwardBackward(data.slice(-2), { loss: crossEntropy, logprobs: "none" });
      const sum = (await bench.gradientNorm(model)) ** 2;
      const [a, b] = squares.slice(-2) as [number, number];
      const [first, second] = features.slice(-2) as [Float32Array, Float32Array];
      const cosine = (sum - a - b) / 2 / Math.sqrt(a * b);
      assert(Math.abs(cosine) > 2 * deviations, `the two gradients are at right angles: ${cosine}`);
      const found = dot(first, second) / Math.sqrt(a * b);
      assertClose(bench, "the cosine of two features", found, cosine, deviations);
      const doubled = await gradients(dimensions, bench.weighted([0], -2));
      const scaled = (features[0] as Float32Array).map((value) => -2 * value);
      assertAllClose(
        bench,
        "a feature of other weights",
        doubled[0] ?? [],
        scaled,
        20 * bench.gradientTolerance + bench.logprobTolerance,
      );
    },
  },
  {
    name: "gradient features depend on their seed alone, and leave the model as it is",
    excuse: lacksExtension("gradient-features"),
    check: async (bench) => {
      const model = await bench.model();
      const data = bench.weighted(indices);
      const gradients = async (given = data, seed = 1) =>
        (await model.gradientFeatures?.(given, { loss: crossEntropy, dimensions: 70, seed })) ??
        fail("there is no gradientFeatures()");
      const within = 20 * bench.gradientTolerance + bench.logprobTolerance;
      const [features, again, other] = [await gradients(), await gradients(), await gradients(data, 2)];
      const backwards = (await gradients(data.toReversed())).toReversed();
      for (const [index, one] of features.entries()) {
        assertAllClose(bench, `features ${index}, asked again,`, again[index] ?? [], one, within);
        assertAllClose(bench, `features ${index}, in another order,`, backwards[index] ?? [], one, within);
        assertMoved(`features ${index}, by another seed,`, other[index] ?? [], one, within);
      }
      assert((await bench.gradientNorm(model)) === 0, "features have left a gradient");
      await model.forwardBackward(data, { loss: crossEntropy, logprobs: "none" });
      const norm = await bench.gradientNorm(model);
      await model.forwardBackward(data, { loss: crossEntropy, logprobs: "none" });
      const before = await bench.logprobs(model, data);
      await gradients();
      assertAllClose(
        bench,
        "a logprob after features",
        await bench.logprobs(model, data),
        before,
        bench.logprobTolerance,
      );
      const kept = (await bench.gradientNorm(model)) / norm;
      assertClose(bench, "the gradient that was there before", kept, 1, bench.gradientTolerance);
    },
  },
];

function dot(a: Float32Array, b: Float32Array): number {
  return a.reduce((sum, value, index) => sum + value * (b[index] as number), 0);
}
