import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { randomStream } from "../../../foundation/base/index.ts";
import type {
  Engine,
  EngineModel,
  Item,
  Rollout,
  Sampler,
  ScoredGroup,
} from "../../../foundation/contract/index.ts";
import { tabular } from "../../../model/engine/tabular/index.ts";
import { reverse } from "../../../world/task/index.ts";
import { itemOf, letters } from "../../rollout/testing/fakes.ts";
import type { UpdateOutcome, UpdatePart } from "../part.ts";

/** As many as `letters` has. */
const vocabulary = 128;

/** An exact engine whose logits are all 0 at first: after each prompt a bandit with an arm a token. */
export class Bandits implements AsyncDisposable {
  readonly engine: Engine;
  readonly #folder: string;

  private constructor(engine: Engine, folder: string) {
    this.engine = engine;
    this.#folder = folder;
  }

  static async open(deviation = 0): Promise<Bandits> {
    const folder = await mkdtemp(join(tmpdir(), "whetstone-bandits-"));
    await writeFile(
      join(folder, "config.json"),
      JSON.stringify({ model_type: "llama", vocab_size: vocabulary, max_position_embeddings: 64 }),
    );
    return new Bandits(await tabular({ deviation }).open({ logFolder: folder }), folder);
  }

  model(seed = 1): Promise<EngineModel> {
    return this.engine.createModel({ source: { kind: "folder", path: this.#folder, seed } });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.engine[Symbol.asyncDispose]();
    await rm(this.#folder, { recursive: true, force: true });
  }
}

/** The same model, each of whose steps is plain gradient descent: then a change of logits is the gradient. */
export function descending(model: EngineModel): EngineModel {
  return new Proxy(model, {
    get: (target, member) => {
      if (member === "optimStep")
        return ({ learningRate, signal }: Parameters<EngineModel["optimStep"]>[0]) =>
          target.optimStep({
            optimizer: "sgd",
            learningRate,
            weightDecay: 0,
            gradientClipNorm: 0,
            ...(signal ? { signal } : {}),
          });
      const value: unknown = Reflect.get(target, member);
      return typeof value === "function" ? value.bind(target) : value;
    },
  });
}

/** Attempts at a prompt: their texts, each cut off after its letters, and rewards. */
export function attempts(
  prompt: string,
  answers: readonly (readonly [text: string, reward: number | null, baseline?: number])[],
): ScoredGroup {
  const item = itemOf(prompt);
  return {
    item,
    rollouts: answers.map(([text, reward, baseline], sample) => ({
      rollout: cutOff(item, text, sample),
      reward,
      parts: baseline === undefined ? {} : { baseline },
    })),
  };
}

function cutOff(item: Item, text: string, sample: number): Rollout {
  const tokens = letters.encode(text);
  return {
    item,
    role: "solver",
    weightVersion: "model@0",
    segments: [
      { kind: "context", tokens: Int32Array.from([1, ...letters.encode(item.prompt)]) },
      // Of the uniform policy.
      { kind: "sampled", tokens, logprobs: new Float32Array(tokens.length).fill(-Math.log(vocabulary)) },
    ],
    response: { text, complete: true },
    temperature: 1,
    seed: 0,
    sample,
  };
}

/** One application of an update to a model, by plain descent, with the start as the reference. */
export async function applied(
  part: UpdatePart,
  model: EngineModel,
  groups: readonly ScoredGroup[],
): Promise<UpdateOutcome> {
  await using start = await model.snapshot();
  return await part.update({
    policy: { role: "solver", model: descending(model), tokenizer: letters },
    groups,
    replay: { base: [], older: [] },
    task: reverse(),
    models: { reference: async (role) => ({ role, sampler: start, tokenizer: letters }) },
    random: randomStream(0, "update"),
    from: 0,
    to: part.steps({ newest: 0, base: 0 }),
  });
}

/** Logits of these texts' letters relative to a letter that nothing taught, text by text and letter by letter. */
export async function logitsOf(
  sampler: Sampler,
  prompt: string,
  texts: readonly string[],
): Promise<number[][]> {
  const whole = (text: string): Int32Array => Int32Array.from([1, ...letters.encode(prompt + text)]);
  const begin = 1 + prompt.length;
  const untaught = "~";
  const lines = texts.flatMap((text) => [
    whole(text),
    ...Array.from(text, (_, at) => whole(text.slice(0, at) + untaught)),
  ]);
  const logprobs = await sampler.logprobs(lines);
  let next = 0;
  return texts.map((text) => {
    const own = logprobs[next++] ?? new Float32Array();
    return Array.from(
      text,
      (_, at) => (own[begin + at] ?? Number.NaN) - ((logprobs[next++] ?? [])[begin + at] ?? Number.NaN),
    );
  });
}
