import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import type { Datum, Sampler, TokenIds } from "../../../foundation/contract/index.ts";
import { assert, Comparison, fail } from "./assert.ts";
import { closenessOf, crossEntropy } from "./bench.ts";
import { anyOf, type CheckDefinition, type Excuse } from "./check.ts";
import { tinyShape } from "./tiny-shape.ts";

/** A family of models, and a tiny one of it. */
interface Family {
  readonly name: string;
  readonly config: { readonly model_type: string; readonly [member: string]: unknown };
}

const vocabularySize = 24;
const shape = tinyShape(vocabularySize);
/** Windows are shorter than the sequences, and one layer of SmolLM3 turns nothing. */
const families: readonly Family[] = [
  { name: "Llama", config: { model_type: "llama", ...shape } },
  { name: "Qwen2", config: { model_type: "qwen2", ...shape } },
  { name: "Qwen3", config: { model_type: "qwen3", ...shape, head_dim: 16 } },
  { name: "Mistral", config: { model_type: "mistral", ...shape, sliding_window: null, head_dim: 8 } },
  { name: "SmolLM3", config: { model_type: "smollm3", ...shape, no_rope_layers: [1, 0] } },
  {
    name: "Gemma 3",
    config: {
      model_type: "gemma3_text",
      ...shape,
      head_dim: 8,
      sliding_window: 8,
      layer_types: ["sliding_attention", "full_attention"],
      tie_word_embeddings: true,
    },
  },
  { name: "Phi", config: { model_type: "phi", ...shape } },
  { name: "OLMo 2", config: { model_type: "olmo2", ...shape } },
];
const lengths = [5, 16, 40];

const lacksReference: Excuse = (_, { reference }) => {
  if (reference === undefined) return "it runs no model that transformers could load beside it";
  return "missing" in reference ? `not run: ${reference.missing}` : undefined;
};

const lacksDistribution: Excuse = ({ topLogprobs }) =>
  topLogprobs >= vocabularySize ? undefined : "it does not tell the probabilities of all tokens";

export const architectureChecks: readonly CheckDefinition[] = families.map(({ name, config }) => ({
  name: `the logits of a tiny ${name} are those that transformers computes`,
  excuse: anyOf(lacksReference, lacksDistribution, ({ architectures }) =>
    architectures.includes(config.model_type) ? undefined : `it has no ${config.model_type}`,
  ),
  check: async (bench) => {
    const { reference } = bench.subject;
    if (reference === undefined || "missing" in reference) fail("there is nothing to compare with");
    const [path, saved] = [await bench.path("config"), await bench.path("saved")];
    await mkdir(path, { recursive: true });
    await writeFile(join(path, "config.json"), JSON.stringify(config));
    const source = { kind: "folder", path, seed: 1 } as const;
    const model = bench.hold(await bench.subject.engine.createModel({ source, precision: bench.precision }));
    const sequences = lengths.map(sequenceOf);
    const data = sequences.map(datumOf);
    // Away from norms of 1 and biases of 0, and twice: a step of adamw moves each weight as far as any other.
    for (const learningRate of [0.1, 0.05]) {
      await model.forwardBackward(data, { loss: crossEntropy, logprobs: "none" });
      await model.optimStep({ learningRate, weightDecay: 0 });
    }
    await model.save({ path: saved, optimizer: false });
    const expected = await reference.logprobs({
      folder: saved,
      sequences,
      rounded: bench.precision !== "fp32",
    });
    const sampler = bench.hold(await model.snapshot());
    const trained = await model.forward(data, { loss: crossEntropy, logprobs: "all" });
    const sampled = await distributions(sampler, sequences);
    const { tolerance } = model.info;
    const comparison = new Comparison(
      bench,
      tolerance === undefined ? bench.logprobCloseness : closenessOf(tolerance),
    );
    for (const [index, sequence] of sequences.entries()) {
      const theirs = expected[index] ?? new Float32Array();
      assert(theirs.length === sequence.length * vocabularySize, "the reference left something out");
      const ours = sampled[index] ?? [];
      const what = `of ${sequence.length} tokens: a log probability`;
      // The last position predicts what is in no sequence.
      comparison.add(what, ours, theirs.subarray(0, ours.length));
      comparison.add(
        `${what} of the trainer`,
        trained.logprobs[index] ?? [],
        targetsOf(sequence).map((target, at) => theirs[at * vocabularySize + target] as number),
      );
    }
    comparison.end("a log probability");
  },
}));

function sequenceOf(length: number): TokenIds {
  return Int32Array.from({ length }, (_, place) => 3 + ((place * place + 5 * place + length) % 21));
}

const targetsOf = (sequence: TokenIds): number[] => Array.from(sequence.subarray(1));

function datumOf(sequence: TokenIds): Datum {
  const [tokens, targets] = [sequence.subarray(0, -1), sequence.subarray(1)];
  return { tokens, targets, weights: new Float32Array(tokens.length).fill(1) };
}

/** Of each sequence the log probabilities of all tokens at each place but the first, in the order of their ids. */
async function distributions(sampler: Sampler, sequences: readonly TokenIds[]): Promise<number[][]> {
  const scored = await sampler.score?.(sequences, { top: vocabularySize });
  return sequences.map((sequence, index) => {
    const top = scored?.[index]?.top;
    if (top?.tokens.length !== sequence.length * vocabularySize)
      fail("the probabilities of all tokens are not told");
    const row = new Array<number>((sequence.length - 1) * vocabularySize).fill(Number.NaN);
    for (let at = vocabularySize; at < top.tokens.length; at++) {
      const place = Math.floor(at / vocabularySize) - 1;
      row[place * vocabularySize + (top.tokens[at] as number)] = top.logprobs[at] as number;
    }
    return row;
  });
}
