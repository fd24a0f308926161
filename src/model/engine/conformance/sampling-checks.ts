import type {
  SampledSequence,
  SampleRequest,
  Sampler,
  SamplingParameters,
  TokenIds,
} from "../../../foundation/contract/index.ts";
import { assert, assertAllClose, assertAtMost, assertClose, Comparison, fail } from "./assert.ts";
import type { Bench } from "./bench.ts";
import { type CheckDefinition, countable, manyTokens } from "./check.ts";
import { filtered, strangeness, widestGap } from "./distribution.ts";
import { assertTied } from "./ties.ts";

const indices = [0, 1, 2, 3, 4, 5, 6, 7];

function requests(bench: Bench, parameters: Partial<SamplingParameters> = {}): SampleRequest[] {
  return indices.map((index) => ({
    prompt: bench.sequence(index),
    samples: 1 + (index % 4),
    seed: 2 ** 40 + 1000 * index,
    parameters: { maxTokens: 3 + index, ...parameters },
  }));
}

/** Samples of requests, one request's after the other's, asked for in some way. */
type Way = (asked: readonly SampleRequest[]) => Promise<readonly SampledSequence[]>;

const sameEnd = (one: SampledSequence, other: SampledSequence): boolean =>
  one.tokens.join() === other.tokens.join() && one.stopReason === other.stopReason;

interface Difference {
  /** Of samples that are not the same. */
  readonly places: readonly number[];
  readonly of: number;
  /** The share of tokens that differ, of those that came behind equal ones. */
  readonly parted: number;
}

/** What differs between two ways; samples that are the same have equal logprobs. */
async function differing(
  bench: Bench,
  what: string,
  asked: readonly SampleRequest[],
  [way, usual]: readonly [Way, Way],
): Promise<Difference> {
  const [actual, expected] = [await way(asked), await usual(asked)];
  assert(
    actual.length === expected.length,
    `${what}: ${actual.length} samples instead of ${expected.length}`,
  );
  const places: number[] = [];
  const comparison = new Comparison(bench, bench.logprobCloseness);
  for (const [index, sample] of expected.entries()) {
    const other = actual[index] as SampledSequence;
    if (!sameEnd(other, sample)) places.push(index);
    else comparison.add(`${what}: a logprob`, other.logprobs, sample.logprobs);
  }
  comparison.end(`${what}: a logprob`);
  return { places, of: expected.length, parted: partedShare(actual, expected) };
}

function partedShare(one: readonly SampledSequence[], other: readonly SampledSequence[]): number {
  let [parted, seen] = [0, 0];
  for (const [index, { tokens }] of one.entries()) {
    const at = tokens.findIndex((token, place) => token !== other[index]?.tokens[place]);
    parted += at < 0 ? 0 : 1;
    seen += at < 0 ? tokens.length : at + 1;
  }
  return parted / seen;
}

/** Where tokens are so many that one's share of the numbers to draw by may be as narrow as logprobs are rough: how much of chance is allowed. */
const ofChance = 2 / 3;
/** Where a model is so sure of itself that other seeds change little, few partings tell nothing. */
const fewPartings = 0.1;

/**
 * A sample of many may be a tie. Whether a draw lies between two tokens cannot be seen from outside, but that is as rare with
 * other seeds, and what is broken is broken with these too.
 */
async function assertSameSamples(
  bench: Bench,
  what: string,
  asked: readonly SampleRequest[],
  ways: readonly [Way, Way],
): Promise<void> {
  const { places, of, parted } = await differing(bench, what, asked, ways);
  if (bench.rough && bench.subject.vocabularySize > countable) {
    const [, usual] = ways;
    const others = asked.map((request) => ({ ...request, seed: request.seed + 101 }));
    const chance = partedShare(await usual(others), await usual(asked));
    assertAtMost(bench, `${what}: how many tokens differ,`, parted, Math.max(fewPartings, ofChance * chance));
    return;
  }
  const allowed = bench.logprobCloseness.each > 1e-5 ? bench.ties(of) : 0;
  if (places.length > allowed) fail(`${what}: ${places.length} of ${of} samples differ`);
  // Where logprobs are rough ties are not rare: their number is all that can be bounded.
  if (places.length === 0 || bench.rough) return;
  for (const more of [101, 202, 303]) {
    const others = asked.map((request) => ({ ...request, seed: request.seed + more }));
    const again = await differing(bench, what, others, ways);
    if (again.places.length > 0)
      fail(`${what}: ${places.length} of ${of} samples differ, and others do with other seeds`);
  }
}

/** How often each id is the first token of so many samples. */
async function counts(
  bench: Bench,
  sampler: Sampler,
  prompt: TokenIds,
  parameters: Partial<SamplingParameters>,
): Promise<readonly number[]> {
  const found = new Array<number>(bench.subject.vocabularySize).fill(0);
  const asked = Array.from({ length: 6 }, (_, seed) => ({
    prompt,
    samples: 500,
    seed,
    parameters: { maxTokens: 1, ...parameters },
  }));
  for (const { tokens } of (await sampler.sample(asked)).flat())
    found[tokens[0] as number] = (found[tokens[0] as number] ?? 0) + 1;
  return found;
}

const settings: readonly Partial<SamplingParameters>[] = [
  {},
  { temperature: 0.5 },
  { temperature: 2 },
  { topK: 2 },
  { topP: 0.6 },
  { minP: 0.4 },
  { temperature: 1.5, topP: 0.85, minP: 0.1 },
  { temperature: 1.5, topK: 5, topP: 0.85, minP: 0.1 },
];

/** Without the filters that the engine does not claim; the same object where it claims all. */
function heeded(bench: Bench, parameters: Partial<SamplingParameters>): Partial<SamplingParameters> {
  const { topK: hasTopK, topP: hasTopP = true, minP: hasMinP = true } = bench.capabilities;
  const { topK, topP, minP, ...rest } = parameters;
  const claimed = {
    ...(topK === undefined || !hasTopK ? {} : { topK }),
    ...(topP === undefined || !hasTopP ? {} : { topP }),
    ...(minP === undefined || !hasMinP ? {} : { minP }),
  };
  const asked = [topK, topP, minP].filter((filter) => filter !== undefined);
  return asked.length === Object.keys(claimed).length ? parameters : { ...rest, ...claimed };
}

/** The same where logprobs are rough: which tokens a filter keeps must not hang on how they are rounded. */
function settingsBetween(probabilities: readonly number[]): readonly Partial<SamplingParameters>[] {
  const { topK, topP, minP } = widestGap(probabilities);
  const hot = { temperature: 1.5, ...widestGap(probabilities, 1.5) };
  return [
    {},
    { temperature: 0.5 },
    { temperature: 2 },
    { topK },
    { topP },
    { minP },
    { temperature: hot.temperature, topP: hot.topP, minP: hot.minP },
    { temperature: hot.temperature, topK: hot.topK, topP: hot.topP, minP: hot.minP },
  ];
}

/** A standard deviation is so many mean deviations, where they are normal. */
const deviations = Math.sqrt(Math.PI / 2);

/** The prompt behind which the likeliest tokens are told apart most surely. */
async function farthestApart(
  bench: Bench,
  sampler: Sampler,
): Promise<{ readonly prompt: TokenIds; readonly probabilities: readonly number[] }> {
  const all = [];
  for (const index of [0, 1, 2, 3]) {
    const prompt = bench.sequence(index);
    all.push({ prompt, probabilities: await bench.distribution(sampler, prompt) });
  }
  return all.reduce((best, one) =>
    widestGap(one.probabilities).width > widestGap(best.probabilities).width ? one : best,
  );
}

export const samplingChecks: readonly CheckDefinition[] = [
  {
    name: "a sampled logprob is the recomputed one",
    fast: true,
    check: async (bench) => {
      const model = await bench.model();
      const sampler = bench.hold(await model.snapshot());
      const filters: readonly Partial<SamplingParameters>[] = [
        {},
        { temperature: 0 },
        heeded(bench, { temperature: 0.6, topK: 4, topP: 0.9, minP: 0.01 }),
      ];
      for (const parameters of filters) {
        const asked = requests(bench, parameters);
        const samples = await sampler.sample(asked);
        const written = samples.flatMap((group, index) =>
          group.map((sample) => ({ ...sample, prompt: (asked[index] as SampleRequest).prompt })),
        );
        const wholes = written.map(({ prompt, tokens }) => Int32Array.of(...prompt, ...tokens));
        const bySampler = await sampler.logprobs(wholes);
        const { logprobs: byTrainer } = await model.forward(
          wholes.map((whole) => ({
            tokens: whole.subarray(0, -1),
            targets: whole.subarray(1),
            weights: new Float32Array(whole.length - 1).fill(1),
          })),
          { loss: { name: "cross_entropy" }, logprobs: "all" },
        );
        const apart: number[] = [];
        const { each } = bench.logprobCloseness;
        for (const [index, { prompt, logprobs }] of written.entries()) {
          const sampled = Array.from(logprobs);
          const again = Array.from(bySampler[index] ?? []).slice(prompt.length);
          assertAllClose(bench, "a sampled logprob, against the sampler's", sampled, again, each);
          const trained = Array.from(byTrainer[index] ?? []).slice(prompt.length - 1);
          assertAllClose(bench, "a sampled logprob, against the trainer's", sampled, trained, each);
          for (const [at, logprob] of sampled.entries())
            apart.push(Math.abs(logprob - (trained[at] as number)));
        }
        assertAtMost(
          bench,
          "how far sampled logprobs are from the trainer's, on average,",
          apart.reduce((sum, one) => sum + one, 0) / apart.length,
          bench.capabilities.tolerance[bench.precision].meanLogprob,
        );
      }
    },
  },
  {
    name: "temperature 0 takes the likeliest token",
    excuse: manyTokens,
    check: async (bench) => {
      const sampler = await bench.sampler();
      const samples = await sampler.sample(requests(bench, { temperature: 0, maxTokens: 4 }));
      const behind: number[] = [];
      for (const [index, group] of samples.entries())
        for (const { tokens } of group)
          for (const [place, token] of tokens.entries()) {
            const prefix = Int32Array.of(...bench.sequence(index), ...tokens.subarray(0, place));
            const probabilities = await bench.distribution(sampler, prefix);
            const chosen = probabilities[token] as number;
            const best = Math.max(...probabilities);
            assert(
              Math.log(best) - Math.log(chosen) <= bench.logprobCloseness.each,
              `token ${token} of probability ${chosen} was taken where another has ${best}`,
            );
            behind.push(Math.log(best) - Math.log(chosen));
          }
      const average = behind.reduce((sum, one) => sum + one, 0) / behind.length;
      const what = "how far the tokens taken are behind the likeliest, on average,";
      assertAtMost(bench, what, average, bench.logprobCloseness.mean);
    },
  },
  {
    name: "samples follow the distribution, its temperature and its filters",
    excuse: manyTokens,
    check: async (bench) => {
      const sampler = await bench.sampler();
      const { prompt, probabilities } = bench.rough
        ? await farthestApart(bench, sampler)
        : { prompt: bench.sequence(1), probabilities: await bench.distribution(sampler, bench.sequence(1)) };
      const all = bench.rough ? settingsBetween(probabilities) : settings;
      for (const parameters of all.filter((one) => heeded(bench, one) === one)) {
        const expected = filtered(probabilities, parameters);
        const found = await counts(bench, sampler, prompt, parameters);
        const { temperature = 1 } = parameters;
        const deviation = bench.rough
          ? (deviations * bench.logprobCloseness.mean) / Math.min(1, temperature)
          : 0;
        const setting = JSON.stringify(parameters);
        for (const [id, probability] of expected.entries())
          assert(probability > 0 || found[id] === 0, `token ${id}, which ${setting} rules out, was sampled`);
        assertAtMost(
          bench,
          `chi-squared of samples under ${setting}, in standard deviations above its mean,`,
          strangeness(found, expected, deviation),
          5,
        );
      }
    },
  },
  {
    name: "a seed gives the same samples in any batch",
    check: async (bench) => {
      const sampler = await bench.sampler();
      const asked = requests(bench);
      const together: Way = async (some) => (await sampler.sample(some)).flat();
      const groups = await sampler.sample(asked);
      assert(
        groups.every((group, index) => group.length === asked[index]?.samples),
        "a request has another number of samples than it asked for",
      );
      const oneByOne: Way = async (some) => {
        const alone = [];
        for (const request of some) alone.push(...(await sampler.sample([request])).flat());
        return alone;
      };
      const ways: Readonly<Record<string, Way>> = {
        "asked again": together,
        "in another order": async (some) => (await sampler.sample(some.toReversed())).toReversed().flat(),
        "one by one": oneByOne,
        "in calls at once": async (some) =>
          (await Promise.all(some.map((request) => sampler.sample([request])))).flat(2),
        "among more samples": async (some) => {
          const more = await sampler.sample(
            some.map((request) => ({ ...request, samples: request.samples + 2 })),
          );
          return more.flatMap((group, index) => group.slice(0, some[index]?.samples));
        },
      };
      for (const [what, way] of Object.entries(ways))
        await assertSameSamples(bench, what, asked, [way, together]);
      const greedy = requests(bench, { temperature: 0 });
      const what = "one by one, at temperature 0";
      const prompts = greedy.flatMap(({ prompt, samples }) => new Array<TokenIds>(samples).fill(prompt));
      const [alone, beside] = [await oneByOne(greedy), await together(greedy)];
      const parted = prompts.flatMap((prompt, index) => {
        const [one, other] = [alone[index], beside[index]] as [SampledSequence, SampledSequence];
        return sameEnd(one, other) ? [] : [{ prompt, one: one.tokens, other: other.tokens }];
      });
      await assertTied(bench, what, sampler, parted, bench.logprobCloseness);
    },
  },
  {
    name: "other seeds, samples and positions have other numbers",
    fast: true,
    check: async (bench) => {
      const sampler = await bench.sampler();
      // So hot that even a policy that is sure of itself has much to choose from.
      const ask = async (seed: number) =>
        (
          await sampler.sample([
            { prompt: bench.sequence(2), samples: 30, seed, parameters: { maxTokens: 8, temperature: 50 } },
          ])
        ).flat();
      const texts = (samples: readonly SampledSequence[]) => samples.map(({ tokens }) => tokens.join());
      const [one, two] = [texts(await ask(5)), texts(await ask(6))];
      assert(new Set(one).size > 15, `30 samples are only ${new Set(one).size} different ones`);
      assert(one.filter((text) => two.includes(text)).length < 15, "two seeds give the same samples");
      const repeated = (await ask(7)).filter(({ tokens }) => tokens.every((token) => token === tokens[0]));
      assert(repeated.length < 15, "a sample repeats its first token at every position");
    },
  },
  {
    name: "a sample has as many tokens as it may",
    fast: true,
    check: async (bench) => {
      const sampler = await bench.sampler();
      const asked = requests(bench);
      const samples = await sampler.sample(asked);
      for (const [index, group] of samples.entries())
        for (const { tokens, logprobs, stopReason } of group) {
          const most = (asked[index] as SampleRequest).parameters.maxTokens;
          assertClose(bench, "the length of a sample that nothing stops", tokens.length, most, 0);
          assertClose(bench, "the number of its logprobs", logprobs.length, most, 0);
          assert(stopReason === "length", `a sample that nothing stops ended by "${stopReason}"`);
        }
    },
  },
];
