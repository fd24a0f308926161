import type { Json } from "../../../foundation/base/index.ts";
import type { Artifacts } from "../../../foundation/ledger/index.ts";
import { bettingPath, type ResultsRow } from "../../certificate/rows.ts";
import type { AnsweredBlock } from "./blocks.ts";
import type { ProbeAnswers } from "./open-probes.ts";

/** What an opening has looked at, in order. */
export interface OpeningAnswers {
  readonly blocks: readonly AnsweredBlock[];
  readonly probes: readonly ProbeAnswers[];
  readonly smallestGain: number;
}

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
