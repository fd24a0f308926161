import type { OpeningRequest, Pair, PairedBlock } from "whetstone";
import type { RandomStream } from "../../src/foundation/base/index.ts";

export type NextBlocks = OpeningRequest["nextBlocks"];

/** How one item of a block comes out: each stratum of a block holds one item, or several that stand in a row. */
export interface Outcomes {
  /** What an item can come to. */
  readonly palette: readonly Pair[];
  /** Which of them it comes to, for the item of a stratum. */
  readonly draw: (random: RandomStream, stratum: number) => number;
}

export const win: Pair = { difference: 1, void: false };
export const loss: Pair = { difference: -1, void: false };
export const tie: Pair = { difference: 0, void: false };

/** Better, worse and equal, by their chances in each stratum. */
export function winsAndLosses(
  chances: (stratum: number) => { readonly better: number; readonly worse: number },
): Outcomes {
  return {
    palette: [win, loss, tie],
    draw: (random, stratum) => {
      const { better, worse } = chances(stratum);
      const drawn = random.uniform();
      return drawn < better ? 0 : drawn < better + worse ? 1 : 2;
    },
  };
}

/** Blocks of fresh items, one of each stratum, as many as a cap of pairs allows. */
export function freshBlocks(
  { palette, draw }: Outcomes,
  { strata, cap, random }: { readonly strata: number; readonly cap: number; readonly random: RandomStream },
): NextBlocks {
  let left = Math.floor(cap / strata);
  /** Blocks of one item are few: they are made once. */
  const alone = palette.map((pair): PairedBlock => ({ pairs: [pair] }));
  const next = (): PairedBlock => {
    if (strata === 1) return alone[draw(random, 0)] as PairedBlock;
    const pairs = new Array<Pair>(strata);
    for (let stratum = 0; stratum < strata; stratum++)
      pairs[stratum] = palette[draw(random, stratum)] as Pair;
    return { pairs };
  };
  return async (count) => {
    const blocks = new Array<PairedBlock>(Math.min(count, left));
    left -= blocks.length;
    for (let index = 0; index < blocks.length; index++) blocks[index] = next();
    return blocks;
  };
}

/** Blocks of the items that there are, in order, each of so many of them; a rest that makes no block is left. */
export function listedBlocks(pairs: readonly Pair[], size: number): NextBlocks {
  let given = 0;
  return async (count) => {
    const blocks: PairedBlock[] = [];
    for (; blocks.length < count && given + size <= pairs.length; given += size)
      blocks.push({ pairs: pairs.slice(given, given + size) });
    return blocks;
  };
}
