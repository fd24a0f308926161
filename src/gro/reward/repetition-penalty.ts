import { z } from "zod";
import { readOptions } from "../../foundation/base/index.ts";
import type { Rollout } from "../../foundation/contract/index.ts";
import { sampledOf } from "../rollout/index.ts";
import { type RewardPart, scoreEach } from "./part.ts";

const optionsSchema = z.strictObject({
  /** Tokens of what counts as a repetition. */
  length: z.number().int().min(1).default(3),
});
export type RepetitionPenaltyOptions = Readonly<z.input<typeof optionsSchema>>;

/**
 * Minus the share of a response's stretches of `length` tokens that stood in it before (arXiv 2502.03373, section 4.2 penalises such
 * n-grams): r = distinct / all − 1, from 0 for none down to nearly −1. A response shorter than that repeats nothing.
 *
 * @example
 * weighted({ right: { reward: verifier() }, repeats: { reward: repetitionPenalty({ length: 4 }), weight: 0.5 } })
 */
export function repetitionPenalty(options: RepetitionPenaltyOptions = {}): RewardPart {
  const { length } = readOptions("repetitionPenalty()", optionsSchema, options);
  return {
    name: "repetition penalty",
    description: { length },
    origin: "self-derived",
    peers: 1,
    reward: async (groups) => scoreEach(groups, (rollout) => -repeated(rollout, length)),
  };
}

function repeated(rollout: Rollout, length: number): number {
  const { tokens } = sampledOf(rollout);
  const all = tokens.length - length + 1;
  if (all <= 0) return 0;
  const met = new Set<string>();
  for (let start = 0; start < all; start++) met.add(tokens.subarray(start, start + length).join());
  return 1 - met.size / all;
}
