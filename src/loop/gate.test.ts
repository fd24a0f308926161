import { fc, test as property } from "@fast-check/vitest";
import { describe, expect, test } from "vitest";
import { type RandomStream, randomStream } from "../foundation/base/index.ts";
import type { Decision, GuardFinding, Opening } from "../foundation/contract/index.ts";
import { betGrid, spentAt, spentOnReusedAt } from "../foundation/statistics/index.ts";
import { decide, openGate, type PairedBlock } from "./gate.ts";

type Options = Parameters<typeof openGate>[0]["options"];

const options: Options = { alpha: 0.05, smallestGain: 0.01, cap: 4000 };

const blockOf = (differences: readonly number[]): PairedBlock => ({
  pairs: differences.map((difference) => ({ difference, void: false })),
});

/** Hands out what is asked for, as the decision items do. */
const serve = (blocks: readonly PairedBlock[]) => {
  let given = 0;
  return async (count: number): Promise<readonly PairedBlock[]> => {
    const next = blocks.slice(given, given + count);
    given += next.length;
    return next;
  };
};

const open = (blocks: readonly PairedBlock[], given: Partial<Options> = {}, opening = 1) =>
  openGate({ opening, options: { ...options, ...given }, nextBlocks: serve(blocks) });

/** The rule as it is written: plain products, looked at after every block. */
function reference(blocks: readonly PairedBlock[], given: Options, opening: number): Partial<Opening> {
  const alpha = spentAt(opening, given.alpha);
  const wealth = (factor: (lambda: number, difference: number) => number, seen: readonly number[]): number =>
    betGrid.reduce((sum, l) => sum + seen.reduce((product, d) => product * factor(l, d), 1), 0) /
    betGrid.length;
  const seen: number[] = [];
  for (const [index, { pairs }] of blocks.entries()) {
    if (seen.length + pairs.length > given.cap) return { outcome: "not-shown", blocks: index };
    seen.push(...pairs.map(({ difference }) => difference));
    const better = wealth((l, d) => 1 + l * d, seen);
    const futile = wealth((l, d) => 1 + l * (given.smallestGain - d), seen);
    if (better >= 1 / alpha) return { outcome: "better", blocks: index + 1 };
    if (futile >= 20) return { outcome: "futile", blocks: index + 1 };
  }
  return { outcome: "not-shown", blocks: blocks.length };
}

describe("openGate", () => {
  const difference = fc.constantFrom(-1, -1, -0.5, 0, 0.25, 1, 1, 1);
  const sequence = fc
    .tuple(fc.integer({ min: 1, max: 4 }), fc.array(difference, { minLength: 4, maxLength: 160 }))
    .map(([size, values]) =>
      Array.from({ length: Math.floor(values.length / size) }, (_, index) =>
        blockOf(values.slice(index * size, (index + 1) * size)),
      ),
    );

  property.prop([sequence, fc.integer({ min: 1, max: 6 }), fc.integer({ min: 4, max: 120 })])(
    "does what the rule says, block by block",
    async (blocks, opening, cap) => {
      const given = { alpha: 0.2, smallestGain: 0.05, cap };
      const { outcome, blocks: looked } = await open(blocks, given, opening);
      expect({ outcome, blocks: looked }).toEqual(reference(blocks, given, opening));
    },
  );

  test("stops at the very block that wins the bet, and looks at none after it", async () => {
    const wins = Array.from({ length: 40 }, () => blockOf([1, 1]));
    const { outcome, blocks, pairs, wealth, alpha, observed } = await open(wins);
    expect(outcome).toBe("better");
    const wealthAfter = (count: number): number =>
      betGrid.reduce((sum, lambda) => sum + (1 + lambda) ** (2 * count), 0) / betGrid.length;
    expect(wealth).toBeCloseTo(wealthAfter(blocks), 6);
    expect(wealthAfter(blocks)).toBeGreaterThanOrEqual(1 / alpha);
    expect(wealthAfter(blocks - 1)).toBeLessThan(1 / alpha);
    expect({ pairs, observed }).toEqual({ pairs: 2 * blocks, observed: 1 });
    const altered = wins.map((block, index) => (index < blocks ? block : blockOf([-1, -1])));
    expect(await open(altered)).toEqual(await open(wins));
  });

  test("asks for more each time, and never again once it has stopped", async () => {
    const asked: number[] = [];
    const next = serve(Array.from({ length: 300 }, () => blockOf([0.01])));
    const nextBlocks = (count: number) => {
      asked.push(count);
      return next(count);
    };
    await openGate({ opening: 1, options, nextBlocks });
    expect(asked.slice(0, 4)).toEqual([16, 24, 36, 54]);
    const soon: number[] = [];
    const wins = serve(Array.from({ length: 300 }, () => blockOf([1, 1, 1])));
    await openGate({
      opening: 1,
      options,
      nextBlocks: (count) => {
        soon.push(count);
        return wins(count);
      },
    });
    expect(soon).toEqual([16]);
  });

  test("ends at the cap, in whole blocks", async () => {
    const ties = Array.from({ length: 50 }, () => blockOf([0, 0, 0]));
    expect(await open(ties, { cap: 31 })).toMatchObject({ outcome: "not-shown", pairs: 30, blocks: 10 });
    expect(await open(ties, { cap: 30 })).toMatchObject({ outcome: "not-shown", pairs: 30, blocks: 10 });
    expect(await open(ties, { cap: 2 })).toMatchObject({ outcome: "not-shown", pairs: 0, observed: 0 });
  });

  test("ends where no item is left", async () => {
    expect(await open([])).toMatchObject({ outcome: "not-shown", pairs: 0, blocks: 0, wealth: 1 });
    expect(await open([blockOf([1]), blockOf([0])])).toMatchObject({
      outcome: "not-shown",
      pairs: 2,
      observed: 0.5,
    });
  });

  test("gives up early on what is no gain worth having", async () => {
    const ties = Array.from({ length: 2000 }, () => blockOf([0, 0]));
    const losses = Array.from({ length: 2000 }, () => blockOf([-1, 0, 0, 0]));
    expect(await open(losses)).toMatchObject({ outcome: "futile" });
    expect(await open(ties, { smallestGain: 0.05 })).toMatchObject({ outcome: "futile" });
    // A tie on every one of 4,000 pairs says too little against a gain of one point.
    expect((await open(losses)).pairs).toBeLessThan(200);
  });

  test("counts what is void; its difference is the worst already", async () => {
    const blocks = [
      {
        pairs: [
          { difference: -1, void: true },
          { difference: 1, void: false },
        ],
      },
    ];
    expect(await open(blocks)).toMatchObject({ voids: 1, pairs: 2, observed: 0 });
  });

  test("a later opening needs more evidence", async () => {
    const wins = Array.from({ length: 40 }, () => blockOf([1]));
    const [first, second] = [await open(wins, {}, 1), await open(wins, {}, 2)];
    expect(first.alpha).toBeCloseTo((0.05 * 6) / Math.PI ** 2, 12);
    expect(second.alpha).toBeCloseTo(first.alpha / 4, 12);
    expect(second.pairs).toBeGreaterThan(first.pairs);
  });
});

/** How one pair of a block comes out when candidate and champion are as good as each other. */
const nulls: Readonly<Record<string, (random: RandomStream, member: number) => number>> = {
  "mostly ties": (random) => (random.uniform() < 0.1 ? (random.uniform() < 0.5 ? 1 : -1) : 0),
  "always one of the two": (random) => (random.uniform() < 0.5 ? 1 : -1),
  "strata that lean opposite ways": (random, member) =>
    random.uniform() < 0.4 ? (member % 2 === 0 ? 1 : -1) : 0,
  "seldom a great gain, often a small loss": (random) => (random.uniform() < 0.2 ? 1 : -0.25),
};

type Gate = (request: Parameters<typeof openGate>[0]) => Promise<Pick<Opening, "outcome">>;

const playOpenings = async (
  gate: Gate,
  count: number,
  difference: (random: RandomStream, member: number) => number,
) => {
  const random = randomStream(21, "openings");
  let better = 0;
  for (let opening = 0; opening < count; opening++) {
    const nextBlocks = async (asked: number): Promise<PairedBlock[]> =>
      Array.from({ length: asked }, () => blockOf([0, 1, 2, 3].map((member) => difference(random, member))));
    const { outcome } = await gate({ opening: 1, options: { ...options, cap: 240 }, nextBlocks });
    if (outcome === "better") better += 1;
  }
  return better / count;
};

/** What everybody does first: a test for a fixed number of items, looked at again and again. */
const peekingGate: Gate = async ({ options: { cap }, nextBlocks }) => {
  let [count, sum, squares] = [0, 0, 0];
  for (;;) {
    for (const { pairs } of await nextBlocks(16)) {
      for (const { difference } of pairs) {
        count += 1;
        sum += difference;
        squares += difference ** 2;
      }
      if (count > cap) return { outcome: "not-shown" };
      const deviation = Math.sqrt(squares / count - (sum / count) ** 2);
      if (count >= 20 && sum / count > (1.6449 * deviation) / Math.sqrt(count)) return { outcome: "better" };
    }
  }
};

describe("false promotions", () => {
  test.each(Object.entries(nulls))(
    "of 1,000 openings without a gain, at most α: %s",
    async (_, difference) => {
      expect(await playOpenings(openGate, 1000, difference)).toBeLessThanOrEqual(options.alpha);
    },
  );

  test("a gate that peeks with a test for a fixed size fails this check", async () => {
    const share = await playOpenings(peekingGate, 1000, nulls["always one of the two"] as () => number);
    expect(share).toBeGreaterThan(3 * options.alpha);
  });

  test("over eight openings of one history there is at most α of even one", async () => {
    const random = randomStream(22, "histories");
    const [histories, openings] = [300, 8];
    let wrong = 0;
    for (let history = 0; history < histories; history++) {
      for (let opening = 1; opening <= openings; opening++) {
        const nextBlocks = async (asked: number) =>
          Array.from({ length: asked }, () =>
            blockOf([0, 1, 2, 3].map(() => (random.uniform() < 0.5 ? 1 : -1))),
          );
        const { outcome } = await openGate({ opening, options: { ...options, cap: 120 }, nextBlocks });
        if (outcome !== "better") continue;
        wrong += 1;
        break;
      }
    }
    expect(wrong / histories).toBeLessThanOrEqual(options.alpha);
  });

  test("on reused items too, over the four openings of one history", async () => {
    const random = randomStream(24, "reused histories");
    const [histories, openings, items] = [1000, 4, 125];
    let wrong = 0;
    for (let history = 0; history < histories; history++) {
      for (let opening = 1; opening <= openings; opening++) {
        const blocks = Array.from({ length: items }, () => blockOf([random.uniform() < 0.5 ? 1 : -1]));
        const { outcome } = await openGate({ opening, options, reused: true, nextBlocks: serve(blocks) });
        if (outcome !== "better") continue;
        wrong += 1;
        break;
      }
    }
    expect(wrong / histories).toBeLessThanOrEqual(options.alpha);
  });

  test("a true gain of ten points is found in most openings", async () => {
    const random = randomStream(23, "gain");
    let found = 0;
    for (let opening = 0; opening < 100; opening++) {
      const nextBlocks = async (asked: number) =>
        Array.from({ length: asked }, () =>
          blockOf(
            [0, 1, 2, 3].map(() => {
              const draw = random.uniform();
              return draw < 0.2 ? 1 : draw < 0.3 ? -1 : 0;
            }),
          ),
        );
      if ((await openGate({ opening: 3, options, nextBlocks })).outcome === "better") found += 1;
    }
    expect(found).toBeGreaterThan(95);
  });
});

describe("openGate on reused items", () => {
  const gains = Array.from({ length: 40 }, () => blockOf([1]));
  const losses = Array.from({ length: 40 }, () => blockOf([-1]));
  const openReused = (blocks: readonly PairedBlock[], opening = 1) =>
    openGate({ opening, options, reused: true, nextBlocks: serve(blocks) });

  test("all pairs are answered whatever the bets say, and only the outcome leaves", async () => {
    const sealed = {
      reused: true,
      wealth: null,
      futilityWealth: null,
      observed: null,
      pairs: 80,
      blocks: 80,
    };
    expect(await openReused([...gains, ...losses])).toMatchObject({ outcome: "better", ...sealed });
    expect(await openReused([...losses, ...losses])).toMatchObject({ outcome: "not-shown", ...sealed });
  });

  test("the level is shared among the histories of bits", async () => {
    for (const opening of [1, 2, 3, 4]) {
      const { alpha } = await openReused(gains, opening);
      expect(alpha).toBeCloseTo(spentAt(opening, 0.05) / 2 ** (opening - 1), 15);
      expect(alpha).toBe(spentOnReusedAt(opening, 0.05));
    }
    const spent = [1, 2, 3, 4, 5, 6, 7, 8].reduce(
      (sum, opening) => sum + 2 ** (opening - 1) * spentOnReusedAt(opening, 0.05),
      0,
    );
    expect(spent).toBeLessThan(0.05);
  });

  test("how many were void is not told either", async () => {
    const blocks = gains.map(({ pairs }) => ({ pairs: pairs.map((pair) => ({ ...pair, void: true })) }));
    expect(await openReused(blocks)).toMatchObject({ voids: 0 });
    expect((await open(blocks)).voids).toBeGreaterThan(0);
  });
});

describe("decide", () => {
  const opened = (outcome: Opening["outcome"], pairs = 100): Opening => ({
    opening: 2,
    outcome,
    alpha: 0.01,
    reused: false,
    wealth: outcome === "better" ? 120 : 3.14,
    futilityWealth: 1,
    blocks: 10,
    pairs,
    voids: 0,
    observed: outcome === "better" ? 0.125 : -0.02,
  });
  const says = (answer: GuardFinding["answer"]): GuardFinding => ({
    guard: `the ${answer} one`,
    answer,
    evidence: "it saw it",
    value: 1,
    threshold: 0,
  });

  const findings: Readonly<Record<string, readonly GuardFinding[]>> = {
    "no guard": [],
    "all well": [says("ok"), says("ok")],
    "a warning": [says("ok"), says("warn")],
    "a stop": [says("warn"), says("stop")],
    "a roll-back": [says("roll-back"), says("ok")],
    "a stop before a roll-back": [says("stop"), says("roll-back")],
  };
  const openings: readonly (Opening | null)[] = [
    null,
    opened("better"),
    opened("futile"),
    opened("not-shown"),
  ];
  const combinations = Object.entries(findings).flatMap(([name, list]) =>
    openings.flatMap((opening) =>
      [false, true].map((observe) => ({
        name,
        list,
        opening,
        observe,
        outcome: opening?.outcome ?? "no opening",
      })),
    ),
  );

  test.each(combinations)("$name, $outcome, observing: $observe", ({ list, opening, observe }) => {
    const decision = decide({ opening, findings: list, observe });
    const answers = list.map(({ answer }) => answer);
    const expected: Decision["decision"] = answers.includes("roll-back")
      ? "roll-back"
      : answers.includes("stop")
        ? "reject"
        : opening?.outcome === "better"
          ? "promote"
          : "reject";
    expect(decision).toMatchObject({ decision: expected, opening, acted: !observe });
    const also = answers.includes("stop") ? "; also “the stop one”" : "";
    if (answers.includes("roll-back"))
      expect(decision.reason).toBe(`guard “the roll-back one”: it saw it${also}`);
    else if (answers.includes("stop")) expect(decision.reason).toBe("guard “the stop one”: it saw it");
  });

  test.each([
    [opened("better"), "better: +12.5 points on 100 pairs, evidence 120 ≥ 100"],
    [opened("futile"), "no gain worth having: -2.0 points on 100 pairs"],
    [opened("not-shown"), "a gain was not shown: -2.0 points on 100 pairs, evidence 3.1 < 100"],
    [opened("not-shown", 0), "no decision item is left that was not used before"],
    [
      { ...opened("better"), voids: 3 },
      "better: +12.5 points on 100 pairs, evidence 120 ≥ 100, 3 void ones counted against it",
    ],
    [null, "the gate was not opened"],
  ])("says why: %#", (opening, reason) => {
    expect(decide({ opening, findings: [], observe: false }).reason).toBe(reason);
  });

  test("says what kept an observing gate from opening", () => {
    const { reason } = decide({ opening: null, obstacle: "too few items", findings: [], observe: true });
    expect(reason).toBe("the gate was not opened: too few items");
  });
});
