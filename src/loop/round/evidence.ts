import { z } from "zod";
import type { Json } from "../../foundation/base/index.ts";
import type { Artifacts } from "../../foundation/ledger/index.ts";
import { Wealth } from "../../foundation/statistics/index.ts";
import type { AnsweredBlock } from "./blocks.ts";
import type { ProbeAnswers } from "./open-probes.ts";

/** What an opening has looked at, in order. */
export interface OpeningAnswers {
  readonly blocks: readonly AnsweredBlock[];
  readonly probes: readonly ProbeAnswers[];
  readonly smallestGain: number;
}

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

/**
 * Stores what the certificate of a promotion rests on: items and results in two artifacts, since results on reused items are
 * sealed. Their names are hashes of what they hold, and so commitments to it.
 */
export async function storeEvidence(
  artifacts: Artifacts,
  { blocks, probes, smallestGain }: OpeningAnswers,
): Promise<{ readonly items: string; readonly results: string }> {
  const items = [
    ...blocks.map((block) => ({ items: block.pairs.map(({ item }) => item) })),
    ...probes.map(({ stratum, blocks: own }) => ({
      probe: stratum,
      items: own.flatMap((block) => block.pairs.map(({ item }) => item)),
    })),
  ];
  return {
    items: await artifacts.put(items as Json[]),
    results: await artifacts.put(rowsOf({ blocks, probes, smallestGain }) as Json[]),
  };
}

/** Results of an opening as they are kept, with the betting path. */
export function rowsOf({ blocks, probes, smallestGain }: OpeningAnswers): ResultsRow[] {
  const path = bettingPath(
    blocks.map((block) => block.pairs.map(({ difference }) => difference)),
    smallestGain,
  );
  return [
    ...blocks.map((block, index) => ({ ...resultsOf([block]), ...path[index] })),
    ...probes.map(({ stratum, blocks: own }) => ({ probe: stratum, ...resultsOf(own) })),
  ];
}

function resultsOf(blocks: readonly AnsweredBlock[]) {
  const pairs = blocks.flatMap((block) => block.pairs);
  return {
    differences: pairs.map(({ difference }) => difference),
    voids: pairs.flatMap((pair, index) => (pair.void ? [index] : [])),
  };
}

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
