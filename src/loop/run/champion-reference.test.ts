import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { samples } from "../../gro/generate/index.ts";
import { inTurn } from "../../gro/method/index.ts";
import { gro, type Method } from "../../gro/method.ts";
import { type RewardPart, verifier } from "../../gro/reward/index.ts";
import type { ReferenceWeights } from "../../gro/rollout/index.ts";
import { supervised } from "../../gro/update/index.ts";
import { demonstrations, procedural } from "../../lifecycle/acquire/index.ts";
import { run } from "../run.ts";
import { rollback } from "./rollback.ts";
import { promotingRun } from "./testing/last-letter.ts";

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "champion-reference-"));
});
afterEach(() => rmSync(folder, { recursive: true }));

/** Rounds whose weights a reward was given to read: as the round found them, and the champion's. */
type Seen = [start: number, champion: number][];

/** Learns in the first round and hardly in the others, by a reward that looks at the champion. */
function methodOf(seen: Seen, interrupt: () => void): Method {
  const looking: RewardPart = {
    ...verifier(),
    references: ["champion"],
    reward: async (groups, context) => {
      const roundOf = async (which: ReferenceWeights): Promise<number> => {
        const { sampler } = await context.models.reference("solver", which);
        return Number(/round-(\d+)/.exec(sampler.weightVersion)?.[1]);
      };
      seen.push([await roundOf("start"), await roundOf("champion")]);
      interrupt();
      return verifier().reward(groups, context);
    },
  };
  const learning = (learningRate: number): Method =>
    gro({
      generate: samples({ samples: 4, temperature: 1 }),
      reward: looking,
      update: supervised({ steps: 6, learningRate }),
    });
  return inTurn(learning(0.3), learning(1e-9));
}

/** Ends once the reward has looked at weights of the round `until`. */
async function play(rounds: number, { until }: { readonly until?: number } = {}) {
  const seen: Seen = [];
  const controller = new AbortController();
  const definition = promotingRun(rounds, {
    acquire: [demonstrations({ items: 16 }), procedural({ difficulty: "next", items: 32 })],
    optimize: methodOf(seen, () => {
      if (seen.at(-1)?.[0] === until) controller.abort();
    }),
    guard: [],
    evaluate: { perStratum: 8, auditPerStratum: 4, finalAuditPerStratum: 8, attemptItems: 0 },
    gate: { cap: 200, probes: [] },
  });
  const { outcome, championRound } = await run(definition, { folder, signal: controller.signal });
  return { seen, outcome, championRound };
}

test("the champion is what was promoted, also after a rejection, an interruption and a rollback", async () => {
  const first = await play(3, { until: 2 });
  // Round 3 goes on from what round 2 made, which was rejected.
  const seen = [
    [0, 0],
    [1, 1],
    [2, 1],
  ];
  expect(first).toMatchObject({ seen, outcome: "interrupted" });
  expect(await play(3)).toEqual({ seen: [[2, 1]], outcome: "rounds-spent", championRound: 1 });
  await rollback({ folder, to: "base" });
  expect(await play(4)).toMatchObject({ seen: [[0, 0]] });
});
