import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Engine, EngineModel, Policy, ScoredGroup } from "../../../foundation/contract/index.ts";
import { tiny } from "../../../model/engine/index.ts";
import { tabular } from "../../../model/engine/tabular/index.ts";
import { contextTokens, type PassModels } from "../../rollout/index.ts";
import { itemOf } from "../../rollout/testing/fakes.ts";

/** A table of logits to teach, with the weights that it began with to measure against: gradients are exact. */
export interface TabularPolicy extends AsyncDisposable {
  readonly policy: Policy;
  readonly models: Pick<PassModels, "reference">;
  /** log π(text|prompt), its end included. */
  logprob(prompt: string, text: string): Promise<number>;
  /** Log probabilities of the one token that follows a prompt, for these letters. */
  next(prompt: string, letters: string): Promise<readonly number[]>;
  /** Scored attempts at a prompt, as they would have been sampled from the weights as they are. */
  group(prompt: string, attempts: readonly (readonly [string, number | null])[]): Promise<ScoredGroup>;
}

/** Steps are plain descent where `sgd` says so: then what a step takes away is the gradient times its rate. */
export async function tabularPolicy({ seed = 1, sgd = false } = {}): Promise<TabularPolicy> {
  const folder = await mkdtemp(join(tmpdir(), "whetstone-tabular-policy-"));
  const { path, tokenizer } = await tiny().prepare(folder, { characters: "abcd", projectFolder: folder });
  const engine: Engine = await tabular({ deviation: 0.7 }).open({ logFolder: folder });
  const source = { kind: "folder", path, seed } as const;
  const trained = await engine.createModel({ source });
  const reference = await engine.loadSampler({ source });
  const model: EngineModel = sgd ? descending(trained) : trained;
  const wholeOf = (prompt: string, text: string) => {
    const context = contextTokens(tokenizer, itemOf(prompt));
    const response = Int32Array.from([...tokenizer.encode(text), tokenizer.endToken]);
    return { context, response, whole: Int32Array.from([...context, ...response]) };
  };
  const tokenLogprobs = async (prompt: string, text: string): Promise<Float32Array> => {
    const { context, whole } = wholeOf(prompt, text);
    await using sampler = await trained.snapshot();
    const [logprobs = new Float32Array()] = await sampler.logprobs([whole]);
    return logprobs.subarray(context.length);
  };
  return {
    policy: { role: "solver", model, tokenizer },
    models: { reference: async (role) => ({ role, sampler: reference, tokenizer }) },
    logprob: async (prompt, text) =>
      (await tokenLogprobs(prompt, text)).reduce((sum, logprob) => sum + logprob, 0),
    next: async (prompt, letters) =>
      Promise.all([...letters].map(async (letter) => (await tokenLogprobs(prompt, letter))[0] as number)),
    group: async (prompt, attempts) => {
      const item = itemOf(prompt);
      const rollouts = attempts.map(async ([text, reward], sample) => {
        const { context, response } = wholeOf(prompt, text);
        const logprobs = await tokenLogprobs(prompt, text);
        return {
          rollout: {
            item,
            role: "solver",
            weightVersion: "table@0",
            segments: [
              { kind: "context" as const, tokens: context },
              { kind: "sampled" as const, tokens: response, logprobs },
            ],
            response: { text, complete: true },
            temperature: 1,
            seed: 0,
            sample,
          },
          reward,
          parts: {},
        };
      });
      return { item, rollouts: await Promise.all(rollouts) };
    },
    [Symbol.asyncDispose]: async () => {
      await engine[Symbol.asyncDispose]();
      await rm(folder, { recursive: true, force: true });
    },
  };
}

function descending(model: EngineModel): EngineModel {
  return {
    id: model.id,
    info: model.info,
    forward: (data, options) => model.forward(data, options),
    forwardBackward: (data, options) => model.forwardBackward(data, options),
    optimStep: ({ learningRate }) =>
      model.optimStep({ optimizer: "sgd", learningRate, weightDecay: 0, gradientClipNorm: 0 }),
    save: (options) => model.save(options),
    snapshot: (options) => model.snapshot(options),
    [Symbol.asyncDispose]: () => model[Symbol.asyncDispose](),
  };
}
