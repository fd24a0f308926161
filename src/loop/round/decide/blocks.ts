import { z } from "zod";
import type { Item, Stratum } from "../../../foundation/contract/index.ts";
import { pairsOf } from "../../../lifecycle/evaluate/index.ts";
import { drawItems, itemDigest, itemsInSplit, mostInSplit } from "../../../world/task/index.ts";
import type { Pair, PairedBlock } from "../../gate.ts";
import {
  durable,
  type RoundContext,
  type StageProgress,
  shippedName,
  shippedPolicies,
  signalOf,
  streamOf,
} from "../context.ts";
import type { Lineage } from "../state.ts";
import type { BlockPart, Blocks } from "./block-parts.ts";

/** What blocks are drawn and answered with: a round's context, or the twin of one that measures a certificate again. */
export type BlocksContext = Pick<RoundContext, "definition" | "safePoint" | "withinBudget" | "signal"> & {
  readonly ledger: Pick<RoundContext["ledger"], "usedByOthers" | "useItems">;
  readonly run: Pick<RoundContext["run"], "step">;
  readonly samplers: Pick<RoundContext["samplers"], "get">;
};

export interface BlocksRequest {
  readonly round: number;
  readonly candidate: Lineage;
  readonly champion: Lineage;
  /** Whose decision items: the task's name and version. */
  readonly items: string;
  /** Which opening uses them. */
  readonly owner: string;
  readonly seed: string;
  readonly plan: Blocks;
  readonly progress: StageProgress;
  /** Tells what is answered in one round apart; `blocks` if left out. */
  readonly part?: string;
}

/** A pair, and of which item. */
export interface AnsweredPair extends Pair {
  /** As {@link itemDigest} gives it. */
  readonly item: string;
}

export interface AnsweredBlock extends PairedBlock {
  readonly pairs: readonly AnsweredPair[];
}

const storedBlocksSchema = z.array(z.array(z.tuple([z.number(), z.boolean(), z.string()])));

/**
 * Blocks in the order that the seed fixes, each answered by both models. Items are marked as used before anyone answers
 * them, unless they are few and every opening uses them again; answered blocks are stored, so that an interruption costs no
 * more than the last few.
 */
export function answeredBlocks(
  context: BlocksContext,
  request: BlocksRequest,
): (count: number) => Promise<readonly AnsweredBlock[]> {
  const { ledger, definition } = context;
  const { round, candidate, champion, items, owner, seed, plan, progress, part = "blocks" } = request;
  const { name, version } = definition.task;
  const next = blockDrawer(context, request);
  const answering = { candidate: shippedName(context, candidate), champion: shippedName(context, champion) };
  let answered = 0;
  return async (count) => {
    const blocks = next(count);
    if (blocks.length === 0) return [];
    const first = answered;
    answered += blocks.length;
    const stored = await durable(
      context,
      `round-${round}/decide/${part}-${first}`,
      { seed, count, items: "named", ...answering },
      async () => {
        const members = blocks.flat();
        for (const [stratum, own] of Map.groupBy(plan.reused ? [] : members, (member) => member.stratum))
          ledger.useItems(
            keyOf(items, stratum),
            owner,
            own.map(({ canonical }) => canonical),
          );
        const [after, before] = await Promise.all(
          [candidate, champion].map((lineage) => answerAll(context, lineage, members, seed)),
        );
        const pairs = await pairsOf({
          task: definition.task,
          candidate: after ?? [],
          champion: before ?? [],
          ...signalOf(context),
        });
        const size = members.length / blocks.length;
        return blocks.map((_, index) =>
          pairs
            .slice(index * size, (index + 1) * size)
            .map((pair, place): [number, boolean, string] => [
              pair.difference,
              pair.void,
              itemDigest(name, version, members[index * size + place]?.canonical ?? ""),
            ]),
        );
      },
    );
    progress("answer decision items", answered * (blocks[0]?.length ?? 0), plan.pairs);
    return storedBlocksSchema.parse(stored).map((block) => ({
      pairs: block.map(([difference, isVoid, item]) => ({ difference, void: isVoid, item })),
    }));
  };
}

/** Draws whole blocks of decision items; fewer than asked where the cap or the items end. */
function blockDrawer(context: BlocksContext, request: BlocksRequest): (count: number) => Item[][] {
  const { gate } = context.definition;
  const { parts, reused } = request.plan;
  const size = parts.reduce((sum, { count }) => sum + count, 0);
  const drawers = parts.map((part) =>
    reused || isListed(part) ? poolDrawer(context, request, part) : itemDrawer(context, request, part),
  );
  let blocksLeft = Math.floor(gate.cap / size);
  return (count) => {
    const most = Math.min(count, blocksLeft, ...drawers.map(({ blocks }) => blocks()));
    if (most <= 0) return [];
    blocksLeft -= most;
    const columns = drawers.map(({ draw }) => draw(most));
    return Array.from({ length: most }, (_, block) => columns.flatMap((column) => column[block] ?? []));
  };
}

interface ItemDrawer {
  /** Blocks that there are items left for. */
  readonly blocks: () => number;
  /** A part's share of the next blocks, in an order that does not depend on how many are drawn at once. */
  readonly draw: (blocks: number) => Item[][];
}

function isListed({ strata }: BlockPart): boolean {
  return strata.every(({ splits }) => splits !== undefined);
}

/** All decision items that there are, in an order that the seed fixes: those of a file, and those that are used again. */
function poolDrawer(
  context: BlocksContext,
  { round, items, owner, seed }: BlocksRequest,
  { strata, count }: BlockPart,
): ItemDrawer {
  const { task, gate } = context.definition;
  const random = streamOf(context, round, `decision/${seed}/${strata.map(({ name }) => name).join("+")}`);
  const all = strata.flatMap((stratum) => {
    // What an opening on fresh items has told of cannot be reused.
    const taken = context.ledger.usedByOthers(keyOf(items, stratum.name), owner);
    const most = Math.min(mostInSplit(stratum, "decision"), gate.cap);
    const { difficulty } = stratum;
    const own = drawItems({ task, difficulty, split: "decision", count: most, random, orFewer: true });
    return own.filter(({ canonical }) => !taken.has(canonical));
  });
  const pool = random.shuffle(all);
  let drawn = 0;
  return {
    blocks: () => Math.floor((pool.length - drawn) / count),
    draw: (blocks) => {
      const next = pool.slice(drawn, drawn + blocks * count);
      drawn += next.length;
      return Array.from({ length: blocks }, (_, block) => next.slice(block * count, (block + 1) * count));
    },
  };
}

/** Unused items of a stratum that is too large to be listed. */
function itemDrawer(
  context: BlocksContext,
  { round, items, owner, seed }: BlocksRequest,
  { strata, count }: BlockPart,
): ItemDrawer {
  const [stratum] = strata as readonly [Stratum];
  const { task } = context.definition;
  const taken = context.ledger.usedByOthers(keyOf(items, stratum.name), owner);
  const own = new Set<string>();
  const random = streamOf(context, round, `decision/${seed}/${stratum.name}`);
  return {
    blocks: () => Math.floor((itemsInSplit(stratum, "decision") - taken.size - own.size) / count),
    draw: (blocks) => {
      const { difficulty } = stratum;
      const exclude = (canonical: string): boolean => taken.has(canonical) || own.has(canonical);
      const drawn = drawItems({
        task,
        difficulty,
        split: "decision",
        count: blocks * count,
        random,
        exclude,
      });
      for (const { canonical } of drawn) own.add(canonical);
      return Array.from({ length: blocks }, (_, block) => drawn.slice(block * count, (block + 1) * count));
    },
  };
}

/** Used items are kept by stratum, so that each stratum knows how many it has left. */
function keyOf(items: string, stratum: string): string {
  return `${items}/${stratum}`;
}

async function answerAll(context: BlocksContext, lineage: Lineage, items: readonly Item[], seed: string) {
  const { refine, task } = context.definition;
  return refine.answer({
    ...(await shippedPolicies(context, lineage)),
    items,
    maxTokens: (item) => task.maxTokens(item),
    seed: Number.parseInt(seed.slice(0, 12), 16),
    ...signalOf(context),
  });
}
