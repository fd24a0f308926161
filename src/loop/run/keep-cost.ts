import type { CostMeter } from "./cost.ts";

const betweenMs = 2000;

/**
 * Keeps the cost while long work goes on, and not only between durable steps: a death then loses what it cost in the last two
 * seconds, and the calls whose answers never came.
 */
export function keepCost({ keep }: Pick<CostMeter, "keep">): Disposable {
  const keeping = setInterval(() => {
    try {
      keep();
    } catch {
      // The next durable step meets the same disk, and says so where it is heard.
    }
  }, betweenMs).unref();
  return { [Symbol.dispose]: () => clearInterval(keeping) };
}
