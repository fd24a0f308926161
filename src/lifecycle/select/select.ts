import type { Item, SelectContext, Selected, Selector } from "../../foundation/contract/index.ts";

export interface Selection {
  readonly selected: readonly Selected[];
  /** How many each selector dropped, in their order. */
  readonly dropped: readonly { readonly count: number; readonly reason: string }[];
}

/** Runs the selectors one after the other; each sees what those before it kept. */
export async function select(
  selectors: readonly Selector[],
  items: readonly Item[],
  context: SelectContext,
): Promise<Selection> {
  let selected: readonly Selected[] = items.map((item) => ({ item, score: 1, reason: "acquired" }));
  const dropped: { count: number; reason: string }[] = [];
  for (const selector of selectors) {
    context.signal?.throwIfAborted();
    const kept = await selector.select(selected, context);
    dropped.push({ count: selected.length - kept.length, reason: selector.name });
    selected = kept;
  }
  return { selected, dropped };
}
