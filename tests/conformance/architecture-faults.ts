import type { TopLogprobs } from "../../src/foundation/contract/index.ts";
import type { Fault } from "./fault.ts";
import { withResults } from "./plantings.ts";

const families = ["Llama", "Qwen2", "Qwen3", "Mistral", "SmolLM3", "Gemma 3", "Phi", "OLMo 2"] as const;
const caughtBy = (family: (typeof families)[number]): string =>
  `the logits of a tiny ${family} are those that transformers computes`;

/** Two tokens' probabilities have changed places. */
const swapped = ({ k, tokens, logprobs }: TopLogprobs): TopLogprobs => ({
  k,
  tokens: tokens.map((_, at) => tokens[at % k === 0 ? at + 1 : at % k === 1 ? at - 1 : at] as number),
  logprobs,
});

/** Of every family alike: what an architecture would be wrong in shows in its sampler or in its trainer. */
export const architectureFaults: readonly Fault[] = families.flatMap((family) => [
  {
    fault: `a sampler of a tiny ${family} confuses two tokens`,
    caughtBy: caughtBy(family),
    planting: {
      sampler: (inner) => ({
        score: async (sequences, options) =>
          ((await inner.score?.(sequences, options)) ?? []).map((scored) => ({
            ...scored,
            ...(scored.top === undefined ? {} : { top: swapped(scored.top) }),
          })),
      }),
    },
  },
  {
    fault: `a trainer of a tiny ${family} sees one position too far`,
    caughtBy: caughtBy(family),
    planting: withResults((result) => ({
      ...result,
      logprobs: result.logprobs.map((values) =>
        values.map((_, at) => values[Math.min(at + 1, values.length - 1)] as number),
      ),
    })),
  },
]);
