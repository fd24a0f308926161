import { z } from "zod";
import { userError } from "../../foundation/base/index.ts";
import type { Item, Stratum, Task } from "../../foundation/contract/index.ts";
import { pairsOf } from "../../lifecycle/evaluate/index.ts";
import { drawItems, itemsInSplit } from "../../world/task/index.ts";
import type { PairedBlock } from "../gate.ts";
import { durable, leadCheckpoint, type RoundContext, type StageProgress, streamOf } from "./context.ts";
import type { Lineage } from "./state.ts";

/** Strata with fewer decision items than this are measured, but stand outside the gate: their items could not stay fresh. */
const fewestDecisionItems = 10_000;
/** Items of one block at most, when weights are turned into whole numbers. */
const mostInBlock = 256;

/** A stratum of the gate, and how many of its items each block holds. */
interface BlockPart {
  readonly stratum: Stratum;
  readonly count: number;
}

/**
 * What a block holds: of each stratum that weighs and has enough fresh items a number in proportion to its weight. Throws a
 * user error `gate-cannot-open` when there is no such stratum or the weights have no small common measure.
 */
export function blockParts(task: Task): BlockPart[] {
  const strata = task.strata.filter(
    (stratum) => stratum.weight > 0 && itemsInSplit(stratum, "decision") >= fewestDecisionItems,
  );
  if (strata.length === 0)
    throw userError(
      "gate-cannot-open",
      `${task.name} has no ${task.difficulty.unit} of the target distribution with ${fewestDecisionItems.toLocaleString("en-US")} decision items, so nothing could be proven: raise its difficulty, or let the gate observe with gate: { mode: "observe" }.`,
      { task: task.name },
    );
  const least = Math.min(...strata.map(({ weight }) => weight));
  for (let multiple = 1; multiple * strata.length <= mostInBlock; multiple++) {
    const counts = strata.map(({ weight }) => (weight / least) * multiple);
    const total = counts.reduce((sum, count) => sum + count, 0);
    if (total <= mostInBlock && counts.every((count) => Math.abs(count - Math.round(count)) < 1e-9))
      return strata.map((stratum, index) => ({ stratum, count: Math.round(counts[index] ?? 0) }));
  }
  throw userError(
    "gate-cannot-open",
    `the weights of ${task.name}'s strata have no common measure that fits a block of ${mostInBlock} items: use whole numbers such as 1, 2 and 5.`,
    { task: task.name },
  );
}

export interface BlocksRequest {
  readonly round: number;
  readonly candidate: Lineage;
  readonly champion: Lineage;
  /** Whose decision items: the task's name and version. */
  readonly items: string;
  /** Which opening uses them. */
  readonly owner: string;
  readonly seed: string;
  readonly progress: StageProgress;
}

const storedBlocksSchema = z.array(z.array(z.tuple([z.number(), z.boolean()])));

/**
 * Blocks in the order that the seed fixes, each answered by both models. Items are marked as used before anyone answers
 * them; answered blocks are stored, so that an interruption costs no more than the last few.
 */
export function answeredBlocks(
  context: RoundContext,
  request: BlocksRequest,
): (count: number) => Promise<readonly PairedBlock[]> {
  const { ledger, definition } = context;
  const { round, candidate, champion, items, owner, seed, progress } = request;
  const next = blockDrawer(context, request);
  let answered = 0;
  return async (count) => {
    const blocks = next(count);
    if (blocks.length === 0) return [];
    const first = answered;
    answered += blocks.length;
    const stored = await durable(
      context,
      `round-${round}/decide/blocks-${first}`,
      { seed, count },
      async () => {
        const members = blocks.flat();
        ledger.useItems(
          items,
          owner,
          members.map(({ canonical }) => canonical),
        );
        const [after, before] = await Promise.all(
          [candidate, champion].map((lineage) => answerAll(context, lineage, members, seed)),
        );
        const pairs = pairsOf({ task: definition.task, candidate: after ?? [], champion: before ?? [] });
        const size = members.length / blocks.length;
        return blocks.map((_, index) =>
          pairs
            .slice(index * size, (index + 1) * size)
            .map((pair): [number, boolean] => [pair.difference, pair.void]),
        );
      },
    );
    progress("answer decision items", answered * (blocks[0]?.length ?? 0), definition.gate.cap);
    return storedBlocksSchema
      .parse(stored)
      .map((block) => ({ pairs: block.map(([difference, isVoid]) => ({ difference, void: isVoid })) }));
  };
}

/** Draws whole blocks of unused decision items; fewer than asked where the cap or the items end. */
function blockDrawer(
  context: RoundContext,
  { round, items, owner, seed }: BlocksRequest,
): (count: number) => Item[][] {
  const { definition, ledger } = context;
  const { task, gate } = definition;
  const parts = blockParts(task);
  const size = parts.reduce((sum, { count }) => sum + count, 0);
  const used = ledger.usedByOthers(items, owner);
  const taken = new Set<string>();
  const drawers = parts.map(({ stratum, count }) => ({
    stratum,
    count,
    random: streamOf(context, round, `decision/${seed}/${stratum.name}`),
    left: itemsInSplit(stratum, "decision") - used.size,
  }));
  let drawn = 0;
  return (count) => {
    const affordable = Math.floor(gate.cap / size) - drawn;
    const most = Math.min(
      count,
      affordable,
      ...drawers.map(({ left, count: each }) => Math.floor(left / each)),
    );
    if (most <= 0) return [];
    drawn += most;
    const columns = drawers.map((drawer) => {
      drawer.left -= most * drawer.count;
      const members = drawItems({
        task,
        difficulty: drawer.stratum.difficulty,
        split: "decision",
        count: most * drawer.count,
        random: drawer.random,
        exclude: (canonical) => used.has(canonical) || taken.has(canonical),
      });
      for (const { canonical } of members) taken.add(canonical);
      return members;
    });
    return Array.from({ length: most }, (_, block) =>
      columns.flatMap((members, index) => {
        const each = drawers[index]?.count ?? 0;
        return members.slice(block * each, (block + 1) * each);
      }),
    );
  };
}

async function answerAll(context: RoundContext, lineage: Lineage, items: readonly Item[], seed: string) {
  const { refine, task, optimize } = context.definition;
  return refine.answer({
    policy: await context.samplers.get(optimize.lead, leadCheckpoint(context, lineage)),
    items,
    maxTokens: (item) => task.maxTokens(item),
    seed: Number.parseInt(seed.slice(0, 12), 16),
  });
}
