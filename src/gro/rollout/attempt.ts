import { createHash } from "node:crypto";
import type {
  Item,
  Prompting,
  Rollout,
  RolloutGroup,
  SampledSequence,
  SampleRequest,
  SamplingPolicy,
  TokenIds,
  Tokenizer,
} from "../../foundation/contract/index.ts";
import { contextTokens, stopTokensOf } from "./context.ts";

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
  /** What is asked in place of the item, such as the item with a hint; what is learnt is the answer to the item alone. */
  readonly ask?: (item: Item) => Prompting;
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
  const { policy, samples, temperature, topP, maxTokens, seed, ask, signal } = request;
  const { tokenizer, sampler } = policy;
  const stopTokens = stopTokensOf(tokenizer);
  const contexts = items.map((item) => contextTokens(tokenizer, ask?.(item) ?? item));
  const plain = ask && items.map((item) => contextTokens(tokenizer, item));
  const requests = items.map(
    (item, index): SampleRequest => ({
      prompt: contexts[index] as TokenIds,
      samples,
      seed: itemSeed(seed, item),
      parameters: {
        maxTokens: maxTokens(item),
        temperature,
        stopTokens,
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
        response: responseOf(tokenizer, stopTokens, sampled),
        temperature,
        seed: (requests[index] as SampleRequest).seed,
        sample,
        ...(plain === undefined ? {} : { learnAfter: plain[index] as TokenIds }),
      }),
    ),
  }));
}

/** Whichever token ends it, a response's text is what stands before. */
export function responseOf(
  tokenizer: Tokenizer,
  stopTokens: readonly number[],
  { tokens, stopReason }: Pick<SampledSequence, "tokens" | "stopReason">,
): Rollout["response"] {
  const ended = stopTokens.includes(tokens.at(-1) ?? -1);
  return {
    text: tokenizer.decode(ended ? tokens.subarray(0, -1) : tokens),
    complete: ended || stopReason === "stop",
  };
}

function itemSeed(seed: number, item: Item): number {
  return createHash("sha256").update(`${seed}\u0000${item.canonical}`).digest().readUIntLE(0, 6);
}
