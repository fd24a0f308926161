import { expect, test, vi } from "vitest";
import { greedy } from "../../gro/generate/index.ts";
import { gro } from "../../gro/method.ts";
import { everything } from "../../gro/reward/index.ts";
import { itemOf } from "../../gro/rollout/testing/fakes.ts";
import { type SupervisedOptions, supervised } from "../../gro/update/index.ts";
import { evaluateStage } from "./evaluate.ts";
import { olderSets } from "./older-sets.ts";
import { optimizeStage } from "./optimize.ts";
import { firstState } from "./state.ts";
import { FakeContext, lineageOf } from "./testing/fake-context.ts";

const [rounds, items] = [3, 30];
const imitating = (replay: SupervisedOptions["replay"]) =>
  gro({ generate: greedy(), reward: everything(), update: supervised({ steps: 50, batch: 2, replay }) });

/** Plays rounds that keep all that they write; what each read of artifacts, wholes and rows. */
async function played(round: FakeContext) {
  const { artifacts } = round.context.ledger;
  const [whole, some] = [vi.spyOn(artifacts, "read"), vi.spyOn(artifacts, "readSome")];
  const base = lineageOf("base");
  const { measurement } = await evaluateStage(round.context, 0, base, null);
  const state = firstState(base, measurement);
  let line = lineageOf("start");
  const reads: { wholes: number; rows: number }[] = [];
  for (let number = 1; number <= rounds; number++) {
    whole.mockClear();
    some.mockClear();
    const drawn = Array.from({ length: items }, (_, index) => itemOf(`${100 * number + index}=`));
    const selection = { items: drawn, artifact: `picked-${number}` };
    const pool = { items: [], demonstrations: [] };
    ({ candidate: line } = await optimizeStage(round.context, number, line, state, selection, pool));
    const rows = some.mock.calls.reduce((sum, [, places]) => sum + places.size, 0);
    reads.push({ wholes: whole.mock.calls.length, rows });
  }
  return { reads, line };
}

test("who learns from the newest set alone reads nothing of earlier rounds", async () => {
  using round = new FakeContext({ definition: { optimize: imitating({ newest: 1 }), guard: [] } });
  const { reads, line } = await played(round);
  expect(line.rollouts).toHaveLength(rounds);
  expect(reads).toEqual(Array.from({ length: rounds }, () => ({ wholes: 0, rows: 0 })));
});

test("who draws on earlier rounds counts each once, and reads what one update learns from, over all its stretches", async () => {
  using round = new FakeContext({ definition: { optimize: imitating({ newest: 0.5 }), guard: [] } });
  const { reads, line } = await played(round);
  expect(reads.map(({ wholes }) => wholes)).toEqual([0, 1, 1]);
  const [first, ...later] = reads.map(({ rows }) => rows);
  expect(first).toBe(0);
  // Of each of fifty batches one example is of an older set, however many rounds there were.
  for (const rows of later) {
    expect(rows).toBeGreaterThan(10);
    expect(rows).toBeLessThanOrEqual(50);
  }
  // They stand where they stood when they were kept.
  const [set] = await olderSets(round.context, round.context.definition.optimize, line.rollouts);
  expect(set?.length).toBe(items);
  const read = await set?.read([29, 3]);
  expect([...(read ?? [])].map(([place, { prompt, writer }]) => [place, prompt, writer])).toEqual([
    [3, "103=", expect.objectContaining({ group: 3, rollout: 0, artifact: line.rollouts[0] })],
    [29, "129=", expect.objectContaining({ group: 29, rollout: 0, artifact: line.rollouts[0] })],
  ]);
});
