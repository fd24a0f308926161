import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { RandomStream } from "../../src/foundation/base/index.ts";
import type { Harness, Item, SamplingPolicy } from "../../src/foundation/contract/index.ts";
import {
  bestOfN,
  greedyDecoding,
  sampledDecoding,
  selfConsistency,
} from "../../src/lifecycle/refine/index.ts";
import { tiny } from "../../src/model/engine/index.ts";
import { tabular } from "../../src/model/engine/tabular/index.ts";
import { characters } from "../../src/model/text/index.ts";
import { range } from "./draws.ts";
import { curveOf, dotsOf, grey } from "./picture.ts";
import type { Quantity, Theory } from "./theory.ts";

const alphabet = "abcdefgh";
/** Every answer has so many letters. */
const length = 2;
const items = [..."abcd"].flatMap((one) => [..."abcde"].map((two) => itemOf(one + two)));
const sizes = [1, 2, 4, 8, 16];
const most = 16;
const voters = 8;

/**
 * arXiv 2412.01951: the likeliest of n own answers, r_self = log π. It is y* = argmax π if y* is among them: with 1 − (1 − π(y*))^n,
 * so n = log(1/δ)/π(y*) answers are enough for 1 − δ. The mean of 1/π(y*) over questions is the coverage coefficient of the
 * paper (section 3). Here the run's own harnesses answer, on a table whose law is known.
 */
export async function sharpening(): Promise<Theory> {
  const questions = await withBase(readLaw);
  const mean = (of: (question: Question) => number): number =>
    questions.reduce((sum, question) => sum + of(question), 0) / questions.length;
  const found = (n: number): number => mean(({ chance }) => 1 - (1 - chance) ** n);
  const average = mean(({ chance }) => chance);
  const coverage = mean(({ chance }) => 1 / chance);
  const targets = questions.map(({ best }) => best);
  return {
    name: "sharpening",
    title: "Sharpening by the likeliest of n",
    source: "arXiv 2412.01951",
    size: { groups: 60, chains: 4 },
    covers: "best of 4",
    quantities: [
      ...sizes.map(
        (n): Quantity => ({
          key: `best of ${n}`,
          what: n === 1 ? "one sample is the likeliest answer" : `best of ${n} is the likeliest answer`,
          kind: "mean",
          predicted: found(n),
          tolerance: 0.015,
          told: n !== 2 && n !== most,
        }),
      ),
      {
        key: "greedy",
        what: "greedy decoding is the likeliest answer",
        kind: "mean",
        predicted: mean(({ best, greedy }) => Number(best === greedy)),
        tolerance: 1e-9,
        told: true,
      },
      {
        key: "wait",
        what: `samples until it appears, ${most} at most`,
        kind: "mean",
        predicted: mean(({ chance }) => (1 - (1 - chance) ** most) / chance),
        tolerance: 0.1,
        told: true,
      },
      {
        key: "bound",
        what: `best of ${voters}: at least 1 − e^(−n·π)`,
        kind: "mean",
        relation: "at least",
        predicted: mean(({ chance }) => 1 - Math.exp(-voters * chance)),
        tolerance: 0,
        told: true,
      },
      {
        key: "vote",
        what: `a vote of ${voters}: at most as often as the best of ${voters}`,
        kind: "mean",
        relation: "at most",
        predicted: found(voters),
        tolerance: 0,
        told: true,
      },
    ],
    wrong: [
      {
        what: "chances add up: n·π",
        key: "best of 4",
        predicted: mean(({ chance }) => Math.min(1, 4 * chance)),
      },
      {
        what: "coverage as 1/mean π, not as the mean of 1/π",
        key: "wait",
        predicted: (1 - (1 - average) ** most) / average,
      },
      {
        what: "a vote finds it as often",
        key: "vote",
        relation: "equal",
        predicted: found(voters),
      },
    ],
    simulate: (stream, chains) => withBase((policy) => passes(policy, targets, stream, chains)),
    picture: (row) => ({
      title: "The likeliest of n sharpens; coverage says at what cost",
      subtitle: `${items.length} questions to a random table; the likeliest answer has a chance of ${average.toFixed(2)}, coverage coefficient ${coverage.toFixed(1)}`,
      panels: [
        {
          x: { label: "n, samples a question", log: true },
          y: { label: "questions that get the likeliest answer", from: 0, to: 1 },
          series: [
            curveOf("best of n", 0, fine, found),
            dotsOf(
              "best of n",
              0,
              sizes.map((x) => ({ x, row: row(`best of ${x}`) })),
            ),
            dotsOf("a vote of 8 (self-consistency)", 3, [{ x: voters, row: row("vote") }]),
            curveOf(
              "greedy decoding",
              1,
              [1, most],
              () => mean(({ best, greedy }) => Number(best === greedy)),
              "dots-and-dashes",
            ),
            curveOf(
              "bound: 1 − e^(−n·π)",
              2,
              fine,
              (n) => mean(({ chance }) => 1 - Math.exp(-n * chance)),
              "dots-and-dashes",
            ),
            curveOf(
              "wrong: chances add up",
              grey,
              fine,
              (n) => mean(({ chance }) => Math.min(1, n * chance)),
              "dashes",
            ),
          ],
        },
      ],
    }),
  };
}

const fine = range(0, 40).map((step) => 2 ** (step / 10));

interface Question {
  /** The likeliest answer, and how likely it is. */
  readonly best: string;
  readonly chance: number;
  readonly greedy: string;
}

function itemOf(prompt: string): Item {
  return { canonical: prompt, prompt, difficulty: 1, stratum: "all", split: "validation", source: "theory" };
}

/** The same random table each time, asked by way of the engine. */
async function withBase<R>(use: (policy: SamplingPolicy) => Promise<R>): Promise<R> {
  const folder = await mkdtemp(join(tmpdir(), "whetstone-theory-"));
  try {
    const speaks = characters(alphabet);
    const { path } = await tiny({ tokenizer: speaks }).prepare(folder, {
      characters: alphabet,
      projectFolder: folder,
    });
    await using engine = await tabular({ deviation: 2.2 }).open({ logFolder: folder });
    await using sampler = await engine.loadSampler({ source: { kind: "folder", path, seed: 7 } });
    // Padding is never sampled, and the end token is a letter more: so every answer is as long as its limit.
    return await use({ role: "solver", sampler, tokenizer: { ...speaks, endToken: speaks.padToken } });
  } finally {
    await rm(folder, { recursive: true });
  }
}

/** The law of every answer to every question, from the engine's own logprobs. */
async function readLaw({ sampler, tokenizer }: SamplingPolicy): Promise<Question[]> {
  const letters = range(0, tokenizer.vocabularySize - 1);
  const questions: Question[] = [];
  for (const { prompt } of items) {
    const begin = tokenizer.beginToken === undefined ? [] : [tokenizer.beginToken];
    const context = [...begin, ...tokenizer.encode(prompt)];
    const answers = letters.flatMap((one) => letters.map((two) => [one, two]));
    const scored = await sampler.logprobs(answers.map((answer) => Int32Array.from([...context, ...answer])));
    const law = answers.map((answer, index) => {
      const logprobs = (scored[index] as Float32Array).slice(-length) as Float32Array;
      return {
        text: tokenizer.decode(Int32Array.from(answer)),
        first: logprobs[0] as number,
        both: (logprobs[0] as number) + (logprobs[1] as number),
      };
    });
    const best = law.reduce((most, one) => (one.both > most.both ? one : most));
    const first = Math.max(...law.map((one) => one.first));
    const greedy = law.reduce((most, one) =>
      one.first === first && (most.first !== first || one.both > most.both) ? one : most,
    );
    questions.push({ best: best.text, chance: Math.exp(best.both), greedy: greedy.text });
  }
  return questions;
}

/** A chain is one pass over all questions with each harness; it observes the shares that were answered with the likeliest answer. */
async function passes(
  policy: SamplingPolicy,
  targets: readonly string[],
  stream: RandomStream,
  chains: number,
): Promise<number[][]> {
  const pass = async (harness: Harness): Promise<{ readonly share: number; readonly wait: number }> => {
    const answers = await harness.answer({ policy, items, maxTokens: () => length, seed: stream.seed() });
    const right = answers.filter(({ response }, index) => response.text === targets[index]).length;
    const waits = answers.map(({ rollouts }, index) => {
      const place = rollouts.findIndex(({ response }) => response.text === targets[index]);
      return place === -1 ? rollouts.length : place + 1;
    });
    return { share: right / items.length, wait: waits.reduce((sum, one) => sum + one, 0) / items.length };
  };
  const seen: number[][] = [];
  for (let chain = 0; chain < chains; chain++) {
    const best = [await pass(sampledDecoding())];
    for (const samples of sizes.slice(1)) best.push(await pass(bestOfN({ samples })));
    const greedy = await pass(greedyDecoding());
    const vote = await pass(selfConsistency({ samples: voters }));
    const shares = best.map(({ share }) => share);
    const ofVoters = shares[sizes.indexOf(voters)] as number;
    seen.push([...shares, greedy.share, best.at(-1)?.wait as number, ofVoters, vote.share]);
  }
  return seen;
}
