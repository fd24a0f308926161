import { describe, expect, test } from "vitest";
import { randomStream } from "../foundation/base/index.ts";
import { pairsOf, request } from "./probes/testing/probed-pairs.ts";
import { exactProbe, openProbe, type ProbedPairs, probedOf, probeLevelAt } from "./probes.ts";

async function outcomes(chances: { readonly lost: number; readonly won: number }, times: number) {
  const counted = { kept: 0, dropped: 0, "not-shown": 0 };
  for (let time = 0; time < times; time++) {
    const nextPairs = pairsOf(randomStream(time, "probe"), chances);
    const { outcome } = await openProbe(request({ nextPairs }));
    if (outcome !== null) counted[outcome] += 1;
  }
  return counted;
}

describe("openProbe", () => {
  test("a loss as large as the margin passes once in twenty at most, however often it is looked at", async () => {
    const { kept } = await outcomes({ lost: 0.1, won: 0.05 }, 600);
    // Three standard errors above .05.
    expect(kept / 600).toBeLessThanOrEqual(0.05 + 3 * Math.sqrt((0.05 * 0.95) / 600));
  });

  test("nothing lost passes nearly always within three times the pairs that are planned", async () => {
    const { kept } = await outcomes({ lost: 0.05, won: 0.05 }, 200);
    expect(kept / 200).toBeGreaterThan(0.9);
  });

  test("a large loss is found early, and is called so", async () => {
    const { dropped, kept } = await outcomes({ lost: 0.3, won: 0.05 }, 100);
    expect(kept).toBe(0);
    expect(dropped).toBeGreaterThan(95);
    const early = await openProbe(
      request({ nextPairs: pairsOf(randomStream(1, "probe"), { lost: 0.3, won: 0.05 }) }),
    );
    expect(early.pairs).toBeLessThan(400);
    expect(early.observed).toBeLessThan(-0.05);
  });

  test("without items nothing is shown, and nothing passes", async () => {
    const none = await openProbe(request({ nextPairs: async () => [] }));
    expect(none).toMatchObject({ outcome: "not-shown", pairs: 0, observed: 0 });
    expect(probedOf([none]).kept).toBe(false);
  });

  test("the cap ends it, and a margin too wide for the second bet has only the first", async () => {
    const losing = { lost: 0.2, won: 0.05 };
    const at = async (margin: number) =>
      openProbe(request({ margin, cap: 64, nextPairs: pairsOf(randomStream(3, "cap"), losing) }));
    expect(await at(0.04)).toMatchObject({ pairs: 64, outcome: "not-shown" });
    expect(await at(0.3)).toMatchObject({ pairs: expect.any(Number), outcome: "kept" });
    const lost = request({
      margin: 0.3,
      nextPairs: pairsOf(randomStream(3, "cap"), { lost: 1, won: 0 }),
      cap: 200,
    });
    expect(await openProbe(lost)).toMatchObject({ outcome: "not-shown", pairs: 200 });
  });

  test("a void pair is counted, and was made the worst before", async () => {
    const pairs = [
      { difference: -1, void: true },
      ...Array.from({ length: 20 }, () => ({ difference: 0, void: false })),
    ];
    let given = false;
    const nextPairs = async (): Promise<ProbedPairs[]> => {
      if (given) return [];
      given = true;
      return pairs.map((pair) => ({ pairs: [pair] }));
    };
    expect(await openProbe(request({ nextPairs }))).toMatchObject({ voids: 1, pairs: 21, observed: -1 / 21 });
  });

  test("on reused items all are answered, whatever the bet says", async () => {
    const nextPairs = pairsOf(randomStream(1, "reused"), { lost: 0, won: 0.5 }, 700);
    const result = await openProbe(request({ reused: true, nextPairs, cap: 600 }));
    expect(result).toMatchObject({ pairs: 600, outcome: "kept", reused: true });
  });
});

test("levels are halved at each opening on reused items, and stay on fresh ones", () => {
  expect([1, 2, 3].map((opening) => probeLevelAt(opening, true))).toEqual([0.05, 0.025, 0.0125]);
  expect(probeLevelAt(3, false)).toBe(0.05);
});

test("a stratum that is measured whole dropped when it lost the margin, not before", () => {
  const of = (observed: number) => exactProbe({ stratum: "length 1", items: 100, voids: 0, observed }, 0.02);
  expect([0.5, 0, -0.01, -0.02, -0.03].map((observed) => of(observed).outcome)).toEqual([
    "kept",
    "kept",
    "kept",
    "dropped",
    "dropped",
  ]);
});
