import { describe, expect, test } from "vitest";
import { randomStream } from "../../foundation/base/index.ts";
import type { Example, ScoredGroup } from "../../foundation/contract/index.ts";
import { reverse } from "../../world/task/index.ts";
import {
  exampleLike,
  FakeModel,
  groupOf,
  itemOf,
  letters,
  noModels,
  policyOf,
  rolloutOf,
  someWriter,
} from "../rollout/testing/fakes.ts";
import { keptExamples, type OlderSet, type Remedies } from "./part.ts";
import { imitation, type SupervisedOptions, supervised } from "./supervised.ts";

/** An example whose first context token says which set it is from. */
const exampleOf = (set: number, by: "model" | "demonstration" = "model"): Example =>
  exampleLike({ context: Int32Array.of(set), writer: by === "model" ? someWriter : null });
const fromRollouts = (letter: string): ScoredGroup[] => [groupOf(letter, [["zz", 1]])];

/** A set of an earlier round, and what was read of it, a set of places each time. */
const olderOf = (examples: readonly Example[], reads: number[][] = []): OlderSet => ({
  length: examples.length,
  read: async (places) => {
    reads.push([...places]);
    return new Map([...places].map((place) => [place, examples[place] as Example]));
  },
});

interface Sets {
  readonly groups?: ScoredGroup[];
  readonly base?: readonly Example[];
  readonly older?: readonly (readonly Example[])[];
}

const train = async (
  options: SupervisedOptions,
  { groups = [], base = [], older = [] }: Sets,
  range: { from?: number; to?: number; remedies?: Remedies } = {},
) => {
  const part = supervised(options);
  const model = new FakeModel();
  const outcome = await part.update({
    policy: policyOf(model),
    groups,
    replay: { base, older: older.map((set) => olderOf(set)) },
    task: reverse(),
    models: noModels,
    random: randomStream(5, "update"),
    from: range.from ?? 0,
    to: range.to ?? part.steps({ newest: 0, base: 0 }),
    ...(range.remedies ? { remedies: range.remedies } : {}),
  });
  /** First tokens of every batch: 1 begins the context of a rollout. */
  const batches = model.trained.map(({ data }) => data.map(({ tokens }) => tokens[0] as number));
  return { model, outcome, batches };
};
const share = (batches: readonly (readonly number[])[], set: number): number => {
  const all = batches.flat();
  return all.filter((one) => one === set).length / all.length;
};

const demonstrationsLike = { name: "d", description: {}, mostItems: 0, acquire: async () => ({}) };

describe("supervised", () => {
  test("may learn what the role wrote itself alone", async () => {
    const groups = [groupOf("a", [["zz", 1]], "solver"), groupOf("b", [["zz", 1]], "peer")];
    const said = async (learnFrom: "own" | "all") => {
      const { model } = await train({ steps: 8, batch: 4, replay: { newest: 1 }, learnFrom }, { groups });
      return new Set(
        model.trained.flatMap(({ data }) => data.map(({ tokens }) => String.fromCodePoint(tokens[1] ?? 0))),
      );
    };
    expect(await said("own")).toEqual(new Set(["a"]));
    expect(await said("all")).toEqual(new Set(["a", "b"]));
    expect(supervised({ learnFrom: "own" }).description).toMatchObject({ learnFrom: "own" });
    expect(supervised().description).not.toHaveProperty("learnFrom");
  });

  const everySet = {
    groups: fromRollouts("a"),
    base: [exampleOf(10, "demonstration")],
    older: [[exampleOf(20)], [], [exampleOf(30), exampleOf(30)]],
  };

  test("half of every batch is the newest set; the rest base data, which weighs 8, and older sets, which weigh 1", async () => {
    const { batches, outcome } = await train({ steps: 60, batch: 32 }, everySet);
    for (const batch of batches) expect(batch.filter((set) => set === 1)).toHaveLength(16);
    expect(share(batches, 10)).toBeCloseTo(0.5 * 0.8, 1);
    expect(share(batches, 20)).toBeCloseTo(0.05, 1);
    expect(share(batches, 30)).toBeCloseTo(0.05, 1);
    expect(Math.abs(share(batches, 10) - 0.4)).toBeLessThan(0.03);
    expect(Math.abs(share(batches, 20) - 0.05)).toBeLessThan(0.02);
    // Rollouts have three tokens with their end, all others two.
    expect(outcome.tokensTrained).toBe(60 * (16 * 3 + 16 * 2));
    expect(outcome.realTokens).toBe(2 * batches.flat().filter((set) => set === 10).length);
    const times = new Map<number, number>();
    for (const [{ context }, count] of outcome.uses)
      times.set(context[0] ?? 0, (times.get(context[0] ?? 0) ?? 0) + count);
    for (const set of [1, 10, 20, 30])
      expect(times.get(set)).toBe(batches.flat().filter((one) => one === set).length);
  });

  test("clips the gradient's norm at 1, or where it is told to", async () => {
    for (const [options, clip] of [
      [{}, 1],
      [{ gradientClipNorm: 0 }, 0],
    ] as const) {
      const { model } = await train({ steps: 2, batch: 4, ...options }, everySet);
      expect(model.steps.map(({ gradientClipNorm }) => gradientClipNorm)).toEqual([clip, clip]);
      expect(supervised(options).needs?.gradientClipping).toBe(clip > 0);
      // A run whose options are the usual ones is the run that it was.
      expect("gradientClipNorm" in supervised(options).description).toBe(clip === 0);
    }
  });

  test.each<[string, SupervisedOptions["replay"], Parameters<typeof train>[1], Record<number, number>]>([
    ["the newest set alone", { newest: 1 }, everySet, { 1: 1 }],
    ["no newest set", { newest: 0, base: 1 }, { ...everySet, older: [] }, { 10: 1 }],
    ["nothing was kept", { newest: 0.5 }, { ...everySet, groups: [], older: [] }, { 10: 1 }],
    ["no base data and no older sets", { newest: 0.5 }, { groups: everySet.groups }, { 1: 1 }],
    [
      "base data that weighs nothing",
      { newest: 0.5, base: 0 },
      { ...everySet, older: [[exampleOf(20)]] },
      { 1: 0.5, 20: 0.5 },
    ],
    ["only older sets", { newest: 0.5 }, { older: [[exampleOf(20)]] }, { 20: 1 }],
  ])("draws from where something is: %s", async (_, replay = {}, sets, shares) => {
    const { batches } = await train({ steps: 4, batch: 8, replay }, sets);
    expect(batches).toHaveLength(4);
    for (const [set, expected] of Object.entries(shares)) expect(share(batches, Number(set))).toBe(expected);
  });

  test.each<[string, SupervisedOptions["replay"], Parameters<typeof train>[1]]>([
    ["nothing anywhere", {}, {}],
    [
      "only what was kept is wanted, and nothing was",
      { newest: 1 },
      { base: [exampleOf(10)], older: [[exampleOf(20)]] },
    ],
    ["only what was kept is there, and is not wanted", { newest: 0 }, { groups: everySet.groups }],
    [
      "no reward reached 1",
      {},
      {
        groups: [
          groupOf("a", [
            ["b", 0.5],
            ["c", null],
            ["d", 0],
          ]),
        ],
      },
    ],
  ])("makes no step where there is nothing to imitate: %s", async (_, replay = {}, sets) => {
    const { model, outcome } = await train({ steps: 3, replay }, sets);
    expect(model.log).toEqual([]);
    expect(outcome).toEqual({
      tokensTrained: 0,
      realTokens: 0,
      positionsTrained: 0,
      losses: [],
      uses: new Map(),
    });
  });

  test("any stretch of its steps draws what the whole would, at the whole's learning rates", async () => {
    const options = { steps: 10, batch: 4, learningRate: 2 };
    const whole = await train(options, everySet);
    const [first, second] = [
      await train(options, everySet, { to: 4 }),
      await train(options, everySet, { from: 4 }),
    ];
    expect([...first.batches, ...second.batches]).toEqual(whole.batches);
    const rates = ({ model }: typeof whole): number[] => model.steps.map(({ learningRate }) => learningRate);
    expect([...rates(first), ...rates(second)]).toEqual(rates(whole));
    expect(rates(whole)[0]).toBe(2);
    expect(rates(whole)[9]).toBeCloseTo(0.02, 12);
  });

  test("reads of older sets what it draws, once over all its stretches; who wants the newest alone says so", async () => {
    const part = supervised({ steps: 10, batch: 4 });
    const reads: number[][] = [];
    const older = [
      olderOf(
        Array.from({ length: 50 }, () => exampleOf(20)),
        reads,
      ),
    ];
    const random = randomStream(5, "update");
    const model = new FakeModel();
    for (const [from, to] of [
      [0, 4],
      [4, 10],
    ] as const)
      await part.update({
        policy: policyOf(model),
        groups: everySet.groups,
        replay: { base: [], older },
        task: reverse(),
        models: noModels,
        random,
        from,
        to,
      });
    expect(model.trained.flatMap(({ data }) => data)).toHaveLength(40);
    expect(reads).toHaveLength(1);
    expect(reads[0]?.length).toBeLessThanOrEqual(20);
    expect(part.readsOlder).toBe(true);
    expect(supervised({ replay: { newest: 1 } })).not.toHaveProperty("readsOlder");
  });

  describe("in epochs", () => {
    const distinct = Array.from({ length: 10 }, (_, index) => exampleOf(40 + index, "demonstration"));
    const options = { epochs: 2, batch: 4, replay: { newest: 0 } } as const;

    test("every example is learnt from once before any is a second time, in another order", async () => {
      const part = supervised(options);
      expect(part.steps({ newest: 0, base: 10 })).toBe(5);
      const { batches } = await train(options, { base: distinct }, { to: 5 });
      const order = batches.flat();
      const [first, second] = [order.slice(0, 10), order.slice(10, 20)];
      expect([...first].sort()).toEqual(distinct.map(({ context }) => context[0]));
      expect([...second].sort()).toEqual([...first].sort());
      expect(second).not.toEqual(first);
    });

    test("any stretch of its steps draws what the whole would", async () => {
      const whole = await train(options, { base: distinct }, { to: 5 });
      const late = await train(options, { base: distinct }, { from: 3, to: 5 });
      expect(late.batches).toEqual(whole.batches.slice(3));
    });

    test("the newest set counts where it has a share, and what has none is not learnt from in its place", async () => {
      const half = supervised({ epochs: 1, batch: 4, replay: { newest: 0.5 } });
      expect(half.steps({ newest: 6, base: 100 })).toBe(3);
      expect(half.steps({ newest: 0, base: 100 })).toBe(25);
      const only = supervised({ epochs: 1, batch: 4, replay: { newest: 1 } });
      expect(only.steps({ newest: 6, base: 100 })).toBe(2);
      expect(only.steps({ newest: 0, base: 100 })).toBe(0);
      const { model } = await train(
        { epochs: 1, batch: 4, replay: { newest: 1 } },
        { base: distinct },
        { to: 2 },
      );
      expect(model.log).toEqual([]);
      const mixed = await train(
        { epochs: 1, batch: 4, replay: { newest: 0.5 } },
        { groups: fromRollouts("a"), base: distinct },
        { to: 1 },
      );
      expect(mixed.batches[0]?.filter((set) => set === 1)).toHaveLength(2);
    });
  });

  test.each([
    [{ steps: 3, epochs: 2 }, /"steps" or "epochs", not both/],
    [{ epochs: 0 }, /"epochs"/],
    [{ epochs: 2, on: demonstrationsLike }, /needs "steps", not "epochs"/],
    [{ steps: 0 }, /"steps"/],
    [{ batch: 1.5 }, /"batch"/],
    [{ replay: { newest: 2 } }, /"replay.newest"/],
    [{ replay: { newst: 0.5 } }, /did you mean "newest"/],
    [{ on: 3 }, /expected a source, such as demonstrations\(\)/],
  ])("refuses %o", (options, message) => {
    expect(() => supervised(options as SupervisedOptions)).toThrow(message);
  });
});

describe("imitation", () => {
  test("is the mean over response tokens, however long each response is", () => {
    const long = { ...exampleOf(1), response: Int32Array.of(60, 61, 62, 2) };
    const batch = imitation([exampleOf(1, "demonstration"), long]);
    expect(batch).toMatchObject({ tokens: 6, loss: { name: "cross_entropy" } });
    expect(batch?.examples[1]).toBe(long);
    const weights = batch?.data.flatMap(({ weights: own }) => [...(own ?? [])]) ?? [];
    expect(weights.reduce((sum, weight) => sum + weight, 0)).toBeCloseTo(1, 6);
    expect(new Set(weights)).toEqual(new Set([Math.fround(1 / 6)]));
    expect(imitation([])).toBeUndefined();
  });

  test("a prompt is not learnt", () => {
    const context = Int32Array.from([1, ...letters.encode("abc")]);
    const batch = imitation([{ ...exampleOf(0), context }]);
    expect([...(batch?.data[0]?.weights ?? [])]).toEqual([0, 0, 0, 0.5, 0.5]);
  });
});

describe("keptExamples", () => {
  const texts = (groups: readonly ScoredGroup[]) =>
    keptExamples(groups, ({ rollout }) => rollout.response.text);

  test("keeps what has reward 1, once an item and text", () => {
    const item = itemOf("ab");
    const kept = (text: string, role: string, reward: number | null) => ({
      rollout: rolloutOf(item, text, { role }),
      reward,
      parts: {},
    });
    const group = {
      item,
      rollouts: [
        kept("ba", "solver", 1),
        kept("ba", "peer", 1),
        kept("b", "peer", 1),
        kept("a", "peer", 0.99),
        kept("c", "peer", null),
      ],
    };
    expect(texts([group])).toEqual(["ba", "b"]);
    expect(texts([groupOf("a", [["x", 1]]), groupOf("b", [["x", 1]])])).toEqual(["x", "x"]);
  });

  test("a text that was cut off is another than the same one that ended", () => {
    expect(
      texts([
        groupOf("a", [
          ["x", 1],
          [{ text: "x", cut: true }, 1],
        ]),
      ]),
    ).toEqual(["x", "x"]);
  });
});

describe("remedies", () => {
  const sets = {
    groups: fromRollouts("a"),
    base: [exampleOf(10, "demonstration")],
    older: [[exampleOf(20)]],
  };

  test("twice as much real data halves the share of the newest set, and weighs base data more", async () => {
    const remedies = { learningRate: 1, realData: 2 };
    const { batches } = await train({ steps: 60, batch: 32 }, sets, { remedies });
    for (const batch of batches) expect(batch.filter((set) => set === 1)).toHaveLength(8);
    expect(Math.abs(share(batches, 10) - 0.75 * (16 / 17))).toBeLessThan(0.03);
  });

  test("who learnt from the newest set alone is given real data, and no older sets", async () => {
    const remedies = { learningRate: 1, realData: 4 };
    const { batches, outcome } = await train({ steps: 20, batch: 32, replay: { newest: 1 } }, sets, {
      remedies,
    });
    expect(share(batches, 1)).toBe(0.25);
    expect(share(batches, 10)).toBe(0.75);
    expect(outcome.realTokens).toBe(20 * 24 * 2);
  });

  test("where there are no real data, nothing is added", async () => {
    const remedies = { learningRate: 1, realData: 8 };
    const { batches } = await train({ steps: 20, batch: 32 }, { ...sets, base: [] }, { remedies });
    expect(share(batches, 1)).toBe(0.5);
  });

  test("a lower learning rate is a lower one at every step", async () => {
    const rates = async (learningRate: number) =>
      (await train({ steps: 8 }, sets, { remedies: { learningRate, realData: 1 } })).model.steps.map(
        (step) => step.learningRate,
      );
    const [whole, quarter] = [await rates(1), await rates(0.25)];
    expect(whole).toHaveLength(8);
    expect(quarter).toEqual(whole.map((rate) => rate / 4));
  });
});
