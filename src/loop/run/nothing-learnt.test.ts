import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, expect, test } from "vitest";
import { readLedger } from "../../foundation/ledger/index.ts";
import { greedy } from "../../gro/generate/index.ts";
import type { Method, Pass } from "../../gro/method.ts";
import { type RewardPart, scoreEachLater } from "../../gro/reward/part.ts";
import { supervised } from "../../gro/update/index.ts";
import { rejectionSampling } from "../../lifecycle/optimize/index.ts";
import { run } from "../run.ts";
import { lastLetter, promotingRun } from "./testing/last-letter.ts";

const folder = mkdtempSync(join(tmpdir(), "nothing-"));
afterAll(() => rmSync(folder, { recursive: true }));

/** Finds nothing worth keeping. */
const strict: RewardPart = {
  name: "strict",
  description: {},
  origin: "external",
  peers: 1,
  reward: (groups) => scoreEachLater(groups, async () => 0),
};

test("a round that learnt nothing spends no opening, and says why", { timeout: 120_000 }, async () => {
  const learning = (newest: number) => ({
    optimize: rejectionSampling({
      generate: greedy(),
      reward: strict,
      update: supervised({ steps: 2, learningRate: 0.1, replay: { newest } }),
    }),
  });
  const { events } = await run(promotingRun(2, learning(1)), { folder });
  const decisions = events.flatMap(({ event }) => (event.type === "decision-made" ? [event.decision] : []));
  expect(decisions).toEqual(
    [1, 2].map(() => ({
      decision: "reject",
      reason: "the gate was not opened: nothing was learnt: none of 128 rollouts was kept",
      opening: null,
      acted: true,
    })),
  );
  const openings = (): number => {
    using reader = readLedger({ folder });
    return reader?.openings(`${lastLetter.name}@${lastLetter.version}`) ?? -1;
  };
  expect(openings()).toBe(0);
  // What is learnt of demonstrations alone is learnt, and may be better.
  await run(promotingRun(1, learning(0.5)), { folder });
  expect(openings()).toBe(1);
});

test("a round in which another role alone learnt spends no opening either", {
  timeout: 120_000,
}, async () => {
  const [pass] = rejectionSampling({
    generate: greedy(),
    update: supervised({ steps: 2, learningRate: 0.1, replay: { newest: 0.5 } }),
  }).passes;
  const beside: Method = {
    name: "beside",
    description: {},
    lead: "solver",
    roles: ["solver", "helper"],
    deliver: ["solver", "helper"],
    learnsBy: "imitation",
    passes: [{ ...(pass as Pass), roles: ["helper"] }],
  };
  const { events } = await run(promotingRun(1, { optimize: beside }), {
    folder: mkdtempSync(join(folder, "beside-")),
  });
  const told = events.map(({ event }) => event);
  expect(told.find((event) => event.type === "training-finished")?.evidence.tokensTrained).toBeGreaterThan(0);
  expect(told.find((event) => event.type === "decision-made")?.decision).toMatchObject({
    decision: "reject",
    reason:
      "the gate was not opened: no weights that answer learnt anything: what was learnt is another role's",
    opening: null,
  });
});
