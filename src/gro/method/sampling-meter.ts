import type { Policy, SampleRequest, Sampler, SamplingPolicy } from "../../foundation/contract/index.ts";
import type { PassModels } from "../rollout/index.ts";
import type { Tally } from "./tally.ts";

/** What sampling took: by the weights of the pass and earlier ones, and by copies that a reward trained. */
export type Spent = Pick<Tally, "tokensSampled" | "promptsRead" | "trialTokensSampled">;

/** Lends weights out to a part, and counts what it lets them write, whatever becomes of it. */
export interface SamplingMeter {
  policy(policy: SamplingPolicy): SamplingPolicy;
  models(models: PassModels): PassModels;
  spent(): Spent;
}

/** Counts what those sample whom it lends: tokens of every answer, and a prompt once for each request, as the engine reads it. */
export function samplingMeter(): SamplingMeter {
  const spent = { tokensSampled: 0, promptsRead: 0, trialTokensSampled: 0 };
  // Parts tell by the sampler whether two roles are the same weights.
  const lent = new WeakMap<Sampler, Sampler>();
  const lend = (sampler: Sampler, key: "tokensSampled" | "trialTokensSampled" = "tokensSampled"): Sampler => {
    const known = lent.get(sampler);
    if (known !== undefined) return known;
    const counted = replacing(sampler, {
      sample: async (requests: readonly SampleRequest[], options?: { readonly signal?: AbortSignal }) => {
        const answers = await sampler.sample(requests, options);
        for (const { prompt } of requests) spent.promptsRead += prompt.length;
        for (const { tokens } of answers.flat()) spent[key] += tokens.length;
        return answers;
      },
    });
    lent.set(sampler, counted);
    return counted;
  };
  const policy = (one: SamplingPolicy): SamplingPolicy => ({ ...one, sampler: lend(one.sampler) });
  const trialPolicy = ({ model, ...rest }: Policy): Policy => ({
    ...rest,
    model: replacing(model, {
      snapshot: async (options?: Parameters<typeof model.snapshot>[0]) =>
        lend(await model.snapshot(options), "trialTokensSampled"),
    }),
  });
  return {
    policy,
    models: ({ policyOf, reference, copy }) => ({
      policyOf: (role) => policy(policyOf(role)),
      reference: async (role, which) => policy(await reference(role, which)),
      copy: async (role) => {
        const made = await copy(role);
        return {
          policy: trialPolicy(made.policy),
          [Symbol.asyncDispose]: () => made[Symbol.asyncDispose](),
        };
      },
    }),
    spent: () => ({ ...spent }),
  };
}

/** The same object, but for these members. Its own see it as it is: they may have private state. */
function replacing<T extends object>(whole: T, members: Partial<T>): T {
  return new Proxy(whole, {
    get: (target, key) => {
      if (Object.hasOwn(members, key)) return Reflect.get(members, key);
      const value: unknown = Reflect.get(target, key, target);
      return typeof value === "function" ? value.bind(target) : value;
    },
  });
}
