import { z } from "zod";
import { Wealth } from "../../foundation/statistics/index.ts";

/** One block, or all pairs of one probe: digests of its items. */
export const itemsRowSchema = z.strictObject({ probe: z.string().optional(), items: z.array(z.string()) });

/** The results of the same, in the same order. */
export const resultsRowSchema = z.strictObject({
  probe: z.string().optional(),
  differences: z.array(z.number().min(-1).max(1)),
  /** Places of the pairs that have no score. */
  voids: z.array(z.number().int()),
  /** Wealth of the bet on a gain, and of the one against a gain worth having, after the block; only of the gate's own. */
  wealth: z.number().optional(),
  futility: z.number().optional(),
});
export type ResultsRow = z.infer<typeof resultsRowSchema>;

/** Wealth of both bets of the gate after each block. */
export function bettingPath(
  blocks: readonly (readonly number[])[],
  smallestGain: number,
): { readonly wealth: number; readonly futility: number }[] {
  const better = new Wealth({ than: "greater", mean: 0 });
  const futile = new Wealth({ than: "less", mean: smallestGain });
  return blocks.map((differences) => {
    better.bet(differences);
    futile.bet(differences);
    return { wealth: better.value, futility: futile.value };
  });
}
