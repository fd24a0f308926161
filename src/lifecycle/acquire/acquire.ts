import type { AcquireContext, Pool, Source } from "../../foundation/contract/index.ts";

/** Fills one pool from every source, in their order; each draws from a random stream of its own. */
export async function acquire(sources: readonly Source[], context: AcquireContext): Promise<Pool> {
  const items: Pool["items"][number][] = [];
  const demonstrations: Pool["demonstrations"][number][] = [];
  for (const [index, source] of sources.entries()) {
    context.signal?.throwIfAborted();
    const pool = await source.acquire({ ...context, random: context.random.fork(`${index}/${source.name}`) });
    items.push(...pool.items);
    demonstrations.push(...pool.demonstrations);
  }
  return { items, demonstrations };
}
