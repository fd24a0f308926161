import { expect, test } from "vitest";
import { letters } from "../../../gro/rollout/testing/fakes.ts";
import { vStar } from "../../../lifecycle/optimize/index.ts";
import { bestOfN } from "../../../lifecycle/refine/index.ts";
import { reverse } from "../../../world/task/index.ts";
import { defineRun } from "../config.ts";
import { keptBackOf } from "./kept-back.ts";

const task = reverse({ lengths: [4, 6] });
const keptBack = (by?: string) =>
  keptBackOf(
    defineRun({
      task,
      optimize: vStar(),
      refine: bestOfN({ samples: 8, ...(by === undefined ? {} : { by }) }),
      evaluate: { auditPerStratum: 16, finalAuditPerStratum: 16 },
      budget: { tokens: 1e9 },
    }),
    letters,
  );

test("whoever ranks the answers reads each of them, with what was asked", () => {
  const [alone, ranked] = [keptBack(), keptBack("verifier")];
  expect(ranked).toMatchObject({ answers: alone.answers, tokensSampled: alone.tokensSampled });
  // Eight times the prompts, and all that is sampled.
  expect(ranked.tokensRead).toBe(alone.tokensRead * 9 + alone.tokensSampled);
  expect(alone.tokensRead).toBeGreaterThan(0);
});
