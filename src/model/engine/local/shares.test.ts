import { expect, test } from "vitest";
import { deal } from "./shares.ts";

test("chunks are dealt to workers in turn, one at a time on each, however long each takes", async () => {
  const chunks = [0, 1, 2, 3, 4];
  for (const slow of ["a", "b"]) {
    const done: string[] = [];
    const running = new Set<string>();
    await deal(["a", "b"], chunks, async (worker, chunk) => {
      expect(running).not.toContain(worker);
      running.add(worker);
      await new Promise((resolve) => setTimeout(resolve, worker === slow ? 8 : 1));
      running.delete(worker);
      done.push(`${worker}${chunk}`);
    });
    expect(done.toSorted()).toEqual(["a0", "a2", "a4", "b1", "b3"]);
  }
});

test("after the first error no further chunk is begun, and what runs is waited for", async () => {
  const begun: number[] = [];
  let ended = false;
  const dealt = deal(["a", "b"], [0, 1, 2, 3], async (_, chunk) => {
    begun.push(chunk);
    if (chunk === 0) throw new Error("broken");
    await new Promise((resolve) => setTimeout(resolve, 5));
    ended = true;
  });
  await expect(dealt).rejects.toThrow("broken");
  expect(begun).toEqual([0, 1]);
  expect(ended).toBe(true);
});

test("an abort begins no chunk", async () => {
  const begun: number[] = [];
  const dealt = deal(
    ["a"],
    [0],
    async (_, chunk) => void begun.push(chunk),
    AbortSignal.abort(new Error("no")),
  );
  await expect(dealt).rejects.toThrow("no");
  expect(begun).toEqual([]);
});
