import type {
  EngineCapabilities,
  Sampler,
  TokenIds,
  TopLogprobs,
} from "../../../foundation/contract/index.ts";
import {
  assert,
  assertAllClose,
  assertAtMost,
  assertClose,
  assertFar,
  assertMoved,
  Comparison,
  fail,
} from "./assert.ts";
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
  top: TopLogprobs,
  position: number,
  row: readonly number[],
  what: string,
  comparison: Comparison,
): void {
  const tokens = top.tokens.subarray(position * top.k, (position + 1) * top.k);
  const logprobs = top.logprobs.subarray(position * top.k, (position + 1) * top.k);
  assert(new Set(tokens).size === top.k, `${what}: a token is there twice`);
  const best = [...row].sort((a, b) => b - a).slice(0, top.k);
  // Their logprobs, in order, rather than the tokens: ties are as good as each other.
  comparison.add(`${what}: a logprob`, logprobs, best);
  const theirs = Array.from(tokens, (token) => row[token] as number);
  comparison.add(`${what}: a logprob, against its token's,`, logprobs, theirs);
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
      const comparison = new Comparison(bench, bench.logprobCloseness);
      for (const [index, sequence] of sequences.entries()) {
        const what = `sequence ${index}`;
        const { logprobs, top: told } = scored[index] ?? { logprobs: new Float32Array() };
        comparison.add(`${what}: a logprob of score()`, logprobs, plain[index] ?? []);
        const top = shapeOf(told, k, sequence.length, what);
        assert(top.logprobs.subarray(0, k).every(Number.isNaN), "a first token has a prediction");
        const expected = await rows(bench, sampler, sequence);
        for (let position = 1; position < sequence.length; position++)
          assertRow(top, position, expected[position] ?? [], `${what} at ${position}`, comparison);
      }
      comparison.end("a logprob of a most probable token");
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
      const comparison = new Comparison(bench, bench.logprobCloseness);
      for (let at = 0; at < sample.tokens.length; at++)
        assertRow(top, at, expected[prompt.length + at] ?? [], `sampled token ${at}`, comparison);
      comparison.end("a logprob of a most probable token");
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
      const { each, mean } = bench.logprobCloseness;
      const [entropies, certainties] = [0, 1].map(
        () => new Comparison(bench, { each: 4 * each, mean: 4 * mean }),
      ) as [Comparison, Comparison];
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
        entropies.add(
          `entropy of sequence ${index}`,
          entropy.subarray(1),
          expected.map((one) => one.entropy),
        );
        certainties.add(
          `self-certainty of sequence ${index}`,
          selfCertainty.subarray(1),
          expected.map((one) => one.selfCertainty),
        );
      }
      entropies.end("entropy");
      certainties.end("self-certainty");
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
        const mean = means[index] ?? [];
        const { each } = bench.logprobCloseness;
        assertVectorClose(bench, `the mean embedding of sequence ${index}`, mean, expected, 10 * each);
        assertVectorMoved(
          bench,
          "the last embedding, from the mean,",
          lasts.at(-1) ?? [],
          expected,
          10 * each,
        );
        const [alone = []] = await embed([sequence], "mean");
        assertVectorClose(bench, "an embedding alone", alone, mean, 10 * each);
      }
      const [first = [], second = []] = means;
      const { each } = bench.logprobCloseness;
      assertVectorMoved(bench, "an embedding, from another sequence's,", first, second, each);
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
      assertVectorClose(
        bench,
        "a feature of other weights",
        doubled[0] ?? [],
        scaled,
        20 * bench.gradientTolerance + bench.logprobCloseness.each,
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
      const within = 20 * bench.gradientTolerance + bench.logprobCloseness.each;
      const [features, again, other] = [await gradients(), await gradients(), await gradients(data, 2)];
      const backwards = (await gradients(data.toReversed())).toReversed();
      for (const [index, one] of features.entries()) {
        assertVectorClose(bench, `features ${index}, asked again,`, again[index] ?? [], one, within);
        const turned = backwards[index] ?? [];
        assertVectorClose(bench, `features ${index}, in another order,`, turned, one, within);
        assertVectorMoved(bench, `features ${index}, by another seed,`, other[index] ?? [], one, within);
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
        bench.logprobCloseness,
      );
      const kept = (await bench.gradientNorm(model)) / norm;
      assertClose(bench, "the gradient that was there before", kept, 1, bench.gradientTolerance);
    },
  },
];

/** Numbers that are rounded together are compared together: by their distance, relative to the length of the expected ones. */
const apart = (actual: ArrayLike<number>, expected: ArrayLike<number>): number =>
  Math.hypot(...Array.from(expected, (one, at) => (actual[at] as number) - one)) /
  Math.hypot(...Array.from(expected));

/** Each within that much, or where logprobs are rough all together within their average. */
function assertVectorClose(
  bench: Bench,
  what: string,
  actual: ArrayLike<number>,
  expected: ArrayLike<number>,
  each: number,
): void {
  if (!bench.rough) {
    assertAllClose(bench, what, actual, expected, each);
    return;
  }
  const [found, wanted] = [actual.length, expected.length];
  assert(found === wanted, `${what}: ${found} numbers instead of ${wanted}`);
  assertAtMost(bench, `the distance of ${what}`, apart(actual, expected), bench.logprobCloseness.mean);
}

function assertVectorMoved(
  bench: Bench,
  what: string,
  actual: ArrayLike<number>,
  before: ArrayLike<number>,
  each: number,
): void {
  // Of a trained model all that it thinks of a line is much alike.
  if (bench.rough) assertFar(what, apart(actual, before), 2 * bench.logprobCloseness.mean);
  else assertMoved(what, actual, before, each);
}

function dot(a: Float32Array, b: Float32Array): number {
  return a.reduce((sum, value, index) => sum + value * (b[index] as number), 0);
}
