import { describe, expect, test } from "vitest";
import { reverse, splitOf } from "../../../world/task/index.ts";
import type { RoundContext } from "../context.ts";
import { FakeContext, lineageOf } from "../testing/fake-context.ts";
import { planBlocks } from "./block-parts.ts";
import { answeredBlocks, type BlocksRequest } from "./blocks.ts";

const base = reverse({ lengths: [5, 5], growTo: 7, measureTo: 7 });
/** Blocks of one item of length 5, two of length 6 and five of length 7. */
const task = {
  ...base,
  strata: base.strata.map((stratum, index) => ({ ...stratum, weight: [1, 2, 5][index] ?? 0 })),
};
const wrong = (): string => "0";

const fake = (cap = 400, speak = { old: wrong }) =>
  new FakeContext({
    definition: { task, gate: { mode: "decide", alpha: 0.05, cap, reusedOpenings: 4 } },
    speak,
  });

const planOf = (cap: number): BlocksRequest["plan"] => {
  const plan = planBlocks(task, { cap, alpha: 0.05 });
  if ("obstacle" in plan) throw new Error(plan.obstacle);
  return plan;
};

const requestOf = (rest: Partial<BlocksRequest> = {}): BlocksRequest => ({
  plan: planOf(400),
  round: 1,
  candidate: lineageOf("new"),
  champion: lineageOf("old"),
  items: "reverse@1",
  owner: "run/round-1",
  seed: "0123456789abcdef",
  progress: () => {},
  ...rest,
});

const ask = async (context: RoundContext, counts: readonly number[], rest: Partial<BlocksRequest> = {}) => {
  const next = answeredBlocks(context, requestOf(rest));
  const given: number[] = [];
  for (const count of counts) given.push((await next(count)).length);
  return given;
};

describe("answeredBlocks", () => {
  test("each block holds as many items of each stratum as its weight says, all of the decision split", async () => {
    using round = fake();
    expect(await ask(round.context, [3, 4])).toEqual([3, 4]);
    const prompts = round.promptsOf("new");
    expect(round.promptsOf("old")).toEqual(prompts);
    for (let block = 0; block < 7; block++)
      expect(prompts.slice(8 * block, 8 * block + 8).map(({ length }) => length - 1)).toEqual([
        5, 6, 6, 7, 7, 7, 7, 7,
      ]);
    for (const prompt of prompts) expect(splitOf("reverse", 1, prompt.slice(0, -1))).toBe("decision");
    expect(new Set(prompts).size).toBe(56);
  });

  test("are the candidate's difference to the champion, pair by pair", async () => {
    using round = new FakeContext({
      definition: { task, gate: { mode: "decide", alpha: 0.05, cap: 400, reusedOpenings: 4 } },
      speak: { old: (prompt) => (prompt.length === 6 ? [...prompt.slice(0, -1)].reverse().join("") : "0") },
    });
    const blocks = await answeredBlocks(round.context, requestOf())(2);
    const differences = blocks.map(({ pairs }) => pairs.map(({ difference }) => difference));
    expect(differences).toEqual([
      [0, 1, 1, 1, 1, 1, 1, 1],
      [0, 1, 1, 1, 1, 1, 1, 1],
    ]);
    expect(blocks[0]?.pairs[0]?.void).toBe(false);
  });

  test("their order does not depend on how many are asked for at once", async () => {
    using whole = fake();
    await ask(whole.context, [20]);
    for (const counts of [
      [1, 1, 18],
      [5, 15],
      [16, 4],
    ]) {
      using cut = fake();
      await ask(cut.context, counts);
      expect(cut.promptsOf("new")).toEqual(whole.promptsOf("new"));
    }
    using other = fake();
    await ask(other.context, [20], { seed: "f123456789abcdef" });
    expect(other.promptsOf("new")).not.toEqual(whole.promptsOf("new"));
  });

  test("end at the cap, with whole blocks", async () => {
    using round = fake(8 * 5 + 7);
    expect(await ask(round.context, [3, 16, 16])).toEqual([3, 2, 0]);
  });

  test("items are used before anyone answers them, and no other opening gets them", async () => {
    using round = fake();
    const { ledger } = round.context;
    const usedWhenAsked: number[] = [];
    const usedByFirst = (): string[] =>
      [5, 6, 7].flatMap((length) => [...ledger.usedByOthers(`reverse@1/length ${length}`, "run/round-2")]);
    const { samplers } = round.context;
    const get = samplers.get.bind(samplers);
    samplers.get = async (role, checkpoint) => {
      usedWhenAsked.push(usedByFirst().length);
      return get(role, checkpoint);
    };
    await ask(round.context, [10]);
    expect(usedWhenAsked).toEqual([80, 80]);
    const first = round.promptsOf("new");
    expect(new Set(usedByFirst().map((canonical) => `${canonical}=`))).toEqual(new Set(first));
    round.samplers.get("new")?.calls.splice(0);
    await ask(round.context, [10], { round: 2, owner: "run/round-2" });
    const second = round.promptsOf("new");
    expect(second).toHaveLength(80);
    expect(second.filter((prompt) => first.includes(prompt))).toEqual([]);
  });

  test("skip what another opening has used, and keep all else in its place", async () => {
    using plain = fake();
    await ask(plain.context, [12]);
    const fives = plain.promptsOf("new").filter(({ length }) => length === 6);
    using round = fake();
    round.context.ledger.useItems(
      "reverse@1/length 5",
      "other",
      [fives[0], fives[3]].map((one) => one?.slice(0, -1) ?? ""),
    );
    await ask(round.context, [10]);
    expect(round.promptsOf("new").filter(({ length }) => length === 6)).toEqual(
      fives.filter((_, index) => index !== 0 && index !== 3),
    );
  });

  test("end where a stratum has no items left; what is used of another one does not count", async () => {
    const use = (round: FakeContext, stratum: string): void =>
      round.context.ledger.useItems(
        `reverse@1/${stratum}`,
        "other",
        Array.from({ length: 24_174 }, (_, index) => `x${index}`),
      );
    using elsewhere = fake();
    use(elsewhere, "length 6");
    expect(await ask(elsewhere.context, [16, 16])).toEqual([16, 16]);
    using scarce = fake();
    use(scarce, "length 5");
    expect(await ask(scarce.context, [3, 16, 16])).toEqual([3, 1, 0]);
  });

  test("what was answered is not answered again after an interruption, and the order goes on", async () => {
    using whole = fake();
    const expected = await answeredBlocks(whole.context, requestOf())(16);
    using round = fake();
    const { progress, told } = progressOf();
    await ask(round.context, [16]);
    const first = round.promptsOf("new");
    round.reopen();
    const next = answeredBlocks(round.context, requestOf({ progress }));
    expect(await next(16)).toEqual(expected);
    expect(round.promptsOf("new")).toEqual([]);
    await next(4);
    const second = round.promptsOf("new");
    expect(second).toHaveLength(32);
    expect(second.filter((prompt) => first.includes(prompt))).toEqual([]);
    expect(told).toEqual([
      [128, 400],
      [160, 400],
    ]);
  });

  test("what others answered before an interruption is no answer of these", async () => {
    using round = fake();
    await ask(round.context, [16]);
    round.reopen();
    for (const others of [{ candidate: lineageOf("newer") }, { champion: lineageOf("older") }])
      await expect(ask(round.context, [16], others)).rejects.toMatchObject({ code: "step-changed" });
  });

  test("an interruption comes between answers, never within", async () => {
    using round = fake();
    const next = answeredBlocks(round.context, requestOf());
    await next(2);
    round.stop = new Error("asked to end");
    await expect(next(2)).rejects.toThrow("asked to end");
    expect(round.promptsOf("new")).toHaveLength(16);
  });
});

function progressOf() {
  const told: [number, number][] = [];
  const progress = (_: string, done: number, total: number): void => void told.push([done, total]);
  return { progress, told };
}
