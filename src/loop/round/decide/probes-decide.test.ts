import { describe, expect, test } from "vitest";
import { randomStream } from "../../../foundation/base/index.ts";
import { decide } from "../../gate.ts";
import { pairsOf, request } from "../../probes/testing/probed-pairs.ts";
import { exactProbe, openProbe, probedOf } from "../../probes.ts";

describe("decide, with probes", () => {
  const opening = {
    opening: 1,
    outcome: "better",
    alpha: 0.03,
    reused: false,
    wealth: 50,
    futilityWealth: 0.1,
    blocks: 30,
    pairs: 30,
    voids: 0,
    observed: 0.3,
  } as const;
  const whole = (observed: number) =>
    exactProbe({ stratum: "length 1", items: 100, voids: 0, observed }, 0.02);
  const taken = (results: Parameters<typeof probedOf>[0], rest: Partial<Parameters<typeof decide>[0]> = {}) =>
    decide({ opening, findings: [], observe: false, probed: probedOf(results), ...rest });

  test("promotes when all were kept, and says so", () => {
    const decision = taken([whole(0)]);
    expect(decision).toMatchObject({
      decision: "promote",
      probes: [{ stratum: "length 1", outcome: "kept" }],
    });
    expect(decision.reason).toMatch(/; no loss of 2\.0 points in length 1$/);
    expect(taken([]).probes).toBeUndefined();
  });

  test("one that dropped overrules any gain", () => {
    const decision = taken([whole(0), { ...whole(-0.1), stratum: "length 2" }]);
    expect(decision.decision).toBe("reject");
    expect(decision.reason).toMatch(
      /^better: .*; but length 2 dropped: -10\.0 points on all 100 items, margin 2\.0 points$/,
    );
  });

  test("so does one that could not show that it was kept", async () => {
    const thin = await openProbe(request({ nextPairs: async () => [] }));
    expect(taken([thin]).reason).toMatch(/that length 4 did not drop was not shown/);
    expect(taken([thin]).decision).toBe("reject");
  });

  test("of reused items one bit leaves: a gain with a loss looks like no gain", async () => {
    const reused = { ...opening, reused: true, wealth: null, futilityWealth: null, observed: null };
    const nextPairs = () => pairsOf(randomStream(1, "bit"), { lost: 0.4, won: 0 }, 400);
    const lost = await openProbe(request({ reused: true, nextPairs: nextPairs() }));
    const kept = await openProbe(
      request({ reused: true, nextPairs: pairsOf(randomStream(1, "bit"), { lost: 0, won: 0.4 }, 400) }),
    );
    const gainWithLoss = taken([lost], { opening: reused });
    const noGain = taken([kept], { opening: { ...reused, outcome: "not-shown" } });
    const neither = taken([lost], { opening: { ...reused, outcome: "not-shown" } });
    expect(gainWithLoss.decision).toBe("reject");
    expect(gainWithLoss).toEqual(noGain);
    expect(gainWithLoss).toEqual(neither);
    expect(gainWithLoss.probes?.[0]).toMatchObject({
      outcome: null,
      observed: null,
      wealth: null,
      voids: null,
    });
    expect(taken([kept], { opening: reused }).decision).toBe("promote");
  });
});
