import { createHash } from "node:crypto";
import type {
  Item,
  Rollout,
  RolloutGroup,
  SampledSequence,
  SampleRequest,
  SamplingPolicy,
  TokenIds,
  Tokenizer,
} from "../../foundation/contract/index.ts";

/** Items that travel to the engine in one call: enough to fill a batch, few enough to show progress. */
const itemsPerCall = 512;

export interface AttemptRequest {
  readonly policy: SamplingPolicy;
  readonly items: readonly Item[];
  /** Attempts at each item. */
  readonly samples: number;
  /** 0 is greedy. */
  readonly temperature: number;
  readonly topP?: number;
  /** Token limit of one attempt, its end included. */
  readonly maxTokens: (item: Item) => number;
  readonly seed: number;
  readonly signal?: AbortSignal;
  readonly onProgress?: (itemsDone: number) => void;
}

/**
 * One group of rollouts per item, in item order. An item's random numbers depend on the seed and its canonical form, so
 * it is answered alike in any batch.
 */
export async function attempt(request: AttemptRequest): Promise<RolloutGroup[]> {
  const { items, onProgress } = request;
  const groups: RolloutGroup[] = [];
  let waiting: Promise<RolloutGroup[]>[] = [];
  const collect = async (most: number): Promise<void> => {
    while (waiting.length > most) {
      const [first, ...rest] = waiting;
      waiting = rest;
      groups.push(...((await first) ?? []));
      onProgress?.(groups.length);
    }
  };
  for (let start = 0; start < items.length; start += itemsPerCall) {
    const call = attemptOnce(request, items.slice(start, start + itemsPerCall));
    call.catch(() => {});
    waiting.push(call);
    await collect(2);
  }
  await collect(0);
  return groups;
}

async function attemptOnce(request: AttemptRequest, items: readonly Item[]): Promise<RolloutGroup[]> {
  const { policy, samples, temperature, topP, maxTokens, seed, signal } = request;
  const { tokenizer, sampler } = policy;
  const contexts = items.map((item) => contextTokens(tokenizer, item.prompt));
  const requests = items.map(
    (item, index): SampleRequest => ({
      prompt: contexts[index] as TokenIds,
      samples,
      seed: itemSeed(seed, item),
      parameters: {
        maxTokens: maxTokens(item),
        temperature,
        stopTokens: [tokenizer.endToken],
        ...(topP === undefined ? {} : { topP }),
      },
    }),
  );
  const answers = await sampler.sample(requests, signal ? { signal } : {});
  return items.map((item, index) => ({
    item,
    rollouts: (answers[index] ?? []).map(
      (sampled, sample): Rollout => ({
        item,
        role: policy.role,
        weightVersion: sampler.weightVersion,
        segments: [
          { kind: "context", tokens: contexts[index] as TokenIds },
          { kind: "sampled", tokens: sampled.tokens, logprobs: sampled.logprobs },
        ],
        response: responseOf(tokenizer, sampled),
        temperature,
        seed: (requests[index] as SampleRequest).seed,
        sample,
      }),
    ),
  }));
}

/** The token ids that ask for a response: the model's begin token, if it has one, and the prompt. */
export function contextTokens(tokenizer: Tokenizer, prompt: string): TokenIds {
  const ids = tokenizer.encode(prompt);
  if (tokenizer.beginToken === undefined) return ids;
  const context = new Int32Array(ids.length + 1);
  context[0] = tokenizer.beginToken;
  context.set(ids, 1);
  return context;
}

function responseOf(tokenizer: Tokenizer, sampled: SampledSequence): Rollout["response"] {
  const { tokens } = sampled;
  const ended = tokens.length > 0 && tokens[tokens.length - 1] === tokenizer.endToken;
  return {
    text: tokenizer.decode(ended ? tokens.subarray(0, -1) : tokens),
    complete: sampled.stopReason === "stop",
  };
}

function itemSeed(seed: number, item: Item): number {
  return createHash("sha256").update(`${seed}\u0000${item.canonical}`).digest().readUIntLE(0, 6);
}
