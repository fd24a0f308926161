import type { Item, ScoredGroup } from "../../foundation/contract/index.ts";
import type { Learning } from "../update/index.ts";
import { type RollRequest, roll } from "./roll.ts";
import { addTallies, type Tally } from "./tally.ts";
import { updateOf } from "./update-of.ts";

export interface FillRequest extends Omit<RollRequest, "items" | "seed"> {
  /** Items and seed of each draw, from 0. */
  readonly drawAt: (draw: number) => { readonly items: readonly Item[]; readonly seed: number };
  readonly learning: Pick<Learning, "replay" | "random">;
}

/**
 * Generates and rewards; where the pass refills, again with further items until as many groups teach as the pass has items, or the draws
 * are used up (dynamic sampling: DAPO, arXiv 2503.14476, section 3.2). Groups that teach nothing are then left out, and counted.
 */
export async function rollFull(request: FillRequest): Promise<{ scored: ScoredGroup[]; tally: Tally }> {
  const { pass, lead, drawAt, learning, ...rest } = request;
  const { refill } = pass;
  const update = updateOf(pass, lead);
  if (refill === undefined) return roll({ pass, lead, ...rest, ...drawAt(0) });
  const teaching: ScoredGroup[] = [];
  const tallies: Partial<Tally>[] = [];
  let wanted = Number.POSITIVE_INFINITY;
  for (let draw = 0; draw <= refill && teaching.length < wanted; draw++) {
    const drawn = drawAt(draw);
    wanted = drawn.items.length;
    const { scored, tally } = await roll({ pass, lead, ...rest, ...drawn });
    const taught = scored.filter(
      (group) => update.compared?.({ ...learning, role: lead, groups: [group] }).taught !== 0,
    );
    teaching.push(...taught);
    tallies.push(tally, { groupsSkipped: scored.length - taught.length });
  }
  return { scored: teaching.slice(0, wanted), tally: addTallies(tallies) };
}
