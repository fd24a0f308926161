import { availableParallelism } from "node:os";

let free = availableParallelism();
const waiting: (() => void)[] = [];

/** As many run at once as there are processors; the others wait, and their time has not begun. */
export async function freePlace(): Promise<Disposable> {
  if (free > 0) free--;
  else await new Promise<void>((resolve) => waiting.push(resolve));
  return {
    [Symbol.dispose]: () => {
      const next = waiting.shift();
      if (next === undefined) free++;
      else next();
    },
  };
}
