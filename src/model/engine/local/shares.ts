/** One member of a call that is divided among workers: its place in the call and what it costs, in any unit. */
export interface Share {
  readonly index: number;
  readonly cost: number;
  readonly rows: number;
}

/** More rows at once gain nothing; fewer than these are not worth a call of their own. */
const mostRows = 512;
const fewestRows = 8;

/**
 * Divides a call into chunks of about equal cost, a whole number of them for each worker, dearest first: the tail that
 * is left to one worker is then short, and members of a chunk are alike, so that little is computed for padding.
 */
export function divide(shares: readonly Share[], workers: number): Share[][] {
  const rows = shares.reduce((sum, share) => sum + share.rows, 0);
  const rounds = Math.ceil(rows / (workers * mostRows));
  const wanted = Math.max(1, Math.min(workers * rounds, Math.floor(rows / fewestRows)));
  const dearest = shares.toSorted((a, b) => b.cost / b.rows - a.cost / a.rows || a.index - b.index);
  let left = shares.reduce((sum, share) => sum + share.cost, 0);
  const chunks: Share[][] = [];
  let chunk: Share[] = [];
  let cost = 0;
  for (const share of dearest) {
    chunk.push(share);
    cost += share.cost;
    if (cost < left / Math.max(1, wanted - chunks.length)) continue;
    chunks.push(chunk);
    left -= cost;
    chunk = [];
    cost = 0;
  }
  if (chunk.length > 0) chunks.push(chunk);
  return chunks;
}

/**
 * Runs every chunk on whichever worker is free, two at a time on each, so that one waits while the other computes.
 * Stops at the first error, or when the signal aborts, and begins no further chunk.
 */
export async function steal<W, C>(
  workers: readonly W[],
  chunks: readonly C[],
  run: (worker: W, chunk: C) => Promise<void>,
  signal?: AbortSignal,
): Promise<void> {
  let next = 0;
  let failed = false;
  const lane = async (worker: W): Promise<void> => {
    while (!failed && next < chunks.length) {
      signal?.throwIfAborted();
      const chunk = chunks[next++] as C;
      try {
        await run(worker, chunk);
      } catch (error) {
        failed = true;
        throw error;
      }
    }
  };
  await Promise.all([...workers, ...workers].map(lane));
}

/** Runs chunks on workers that are fixed beforehand, in turn, one at a time on each. Stops as {@link steal} does. */
export async function deal<W, C>(
  workers: readonly W[],
  chunks: readonly C[],
  run: (worker: W, chunk: C) => Promise<void>,
  signal?: AbortSignal,
): Promise<void> {
  let failed = false;
  const lane = async (worker: W, first: number): Promise<void> => {
    for (let next = first; !failed && next < chunks.length; next += workers.length) {
      signal?.throwIfAborted();
      try {
        await run(worker, chunks[next] as C);
      } catch (error) {
        failed = true;
        throw error;
      }
    }
  };
  const ends = await Promise.allSettled(workers.map(lane));
  const broken = ends.find(({ status }) => status === "rejected");
  if (broken?.status === "rejected") throw broken.reason;
}
