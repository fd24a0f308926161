import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Engine } from "whetstone";
import { savedWeights } from "../../src/model/engine/conformance/saved-weights.ts";
import type { ExactCase, Weights } from "./exact-case.ts";

const start = join(import.meta.dirname, "fixtures", "start");

/** Takes a case's steps in fp32 and says how far the weight that lies farthest lies from the other trainer's. */
export async function measureCase(engine: Engine, { train, expected }: ExactCase): Promise<number> {
  const folder = await mkdtemp(join(tmpdir(), "whetstone-exact-"));
  try {
    await using model = await engine.createModel({
      source: { kind: "folder", path: start },
      precision: "fp32",
    });
    await train(model);
    const path = join(folder, "after");
    await model.save({ path, optimizer: false });
    return farthest(path, expected);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

/** The largest difference of two weights; infinite where a tensor is missing or has another size. */
function farthest(path: string, expected: Weights): number {
  const saved = new Map(savedWeights(path).map(({ name, values }) => [name, values]));
  const names = new Set([...saved.keys(), ...Object.keys(expected)]);
  let most = 0;
  for (const name of names) {
    const [ours = [], theirs = []] = [saved.get(name), expected[name]];
    if (ours.length === 0 || ours.length !== theirs.length) return Number.POSITIVE_INFINITY;
    for (const [at, weight] of theirs.entries())
      most = Math.max(most, Math.abs(weight - (ours[at] ?? Number.NaN)));
  }
  return Number.isNaN(most) ? Number.POSITIVE_INFINITY : most;
}
