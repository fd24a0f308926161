import { describe, expect, test } from "vitest";
import { gro } from "../method.ts";
import type { RewardPart } from "../reward/index.ts";
import { runMethod } from "./run-method.ts";
import { FakePolicies, fakeRound } from "./testing/fake-round.ts";
import { imitate, partsOf, reversed } from "./testing/methods.ts";

/** A round with a reward of somebody's own. */
const rewardedBy = (reward: RewardPart["reward"]) =>
  runMethod(
    gro({
      ...partsOf(imitate),
      reward: { name: "mine", description: {}, origin: "external", peers: 1, reward },
    }),
    fakeRound({ policies: new FakePolicies(reversed) }),
  );
const giving = (reward: unknown) =>
  rewardedBy(async (groups) =>
    groups.map(({ item, rollouts }) => ({
      item,
      rollouts: rollouts.map((rollout) => ({ rollout, reward: reward as number, parts: {} })),
    })),
  );

describe("a reward of one's own", () => {
  test("that throws is named, with the place where it did", async () => {
    await expect(
      rewardedBy(async () => {
        throw new TypeError("it broke");
      }),
    ).rejects.toMatchObject({
      code: "part-failed",
      category: "user",
      message: expect.stringMatching(/^The reward “mine” failed: it broke \(of-part\.test\.ts:\d+\)$/),
    });
    await expect(
      rewardedBy(() => {
        throw "a text";
      }),
    ).rejects.toMatchObject({ code: "part-failed", message: "The reward “mine” failed: a text" });
  });

  test.each<[unknown, string]>([
    [Number.NaN, 'NaN for an answer to "12="'],
    [Number.POSITIVE_INFINITY, 'Infinity for an answer to "12="'],
    ["1", '"1" for an answer to "12="'],
    [true, 'true for an answer to "12="'],
    [undefined, 'undefined for an answer to "12="'],
  ])("that gives %s is refused, and where it did is said", async (reward, said) => {
    await expect(giving(reward)).rejects.toMatchObject({
      code: "bad-reward",
      message: expect.stringContaining(`The reward “mine” gave ${said}`),
    });
  });

  test.each<[string, unknown]>([
    ["undefined in the place of groups", undefined],
    ["a group without rollouts", [{}]],
  ])("that gives %s is refused", async (said, scored) => {
    await expect(rewardedBy(async () => scored as never)).rejects.toMatchObject({
      code: "bad-reward",
      message: expect.stringContaining(said),
    });
  });

  test("may give no reward at all: nothing is learnt", async () => {
    expect((await giving(null)).tally).toMatchObject({ tokensTrained: 0, rewardedItems: 0 });
  });
});

test.each([1, 2])(
  "an update of one's own that throws is named, in a pass that is made %d times",
  async (repeat) => {
    const { update, ...rest } = partsOf(imitate);
    const mine = {
      ...update,
      name: "mine",
      update: async () => {
        throw new RangeError("no such token");
      },
    };
    await expect(
      runMethod(gro({ ...rest, update: mine, repeat }), fakeRound({ policies: new FakePolicies(reversed) })),
    ).rejects.toMatchObject({
      code: "part-failed",
      category: "user",
      message: expect.stringMatching(/^The update “mine” failed: no such token \(of-part\.test\.ts:\d+\)$/),
    });
  },
);
