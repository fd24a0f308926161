import { describe, expect, test } from "vitest";
import { FakeModel, itemOf, policyOf, rolloutOf } from "../rollout/testing/fakes.ts";
import { probePolicy } from "./probe.ts";

const rollouts = [
  rolloutOf(itemOf("ab"), "ba", { logprobs: [-0.5, -0.25, -0.5] }),
  rolloutOf(itemOf("c"), "c", { logprobs: [-0.5, -0.5] }),
];
const probe = async (
  options: { trainerLogprob?: number; samplerLogprob?: number } = {},
  given = rollouts,
) => {
  const model = new FakeModel(options);
  const sampler = await model.snapshot();
  return { probed: await probePolicy(policyOf(model), sampler, given), model };
};

describe("probePolicy", () => {
  test("compares sampled and recomputed logprobs at the sampled tokens alone", async () => {
    const { probed } = await probe();
    expect(probed).toEqual({
      mismatchSum: 0.25,
      mismatchCount: 5,
      mismatchMax: 0.25,
      // e^d − 1 − d at d = −.25.
      mismatchKlSum: expect.closeTo(0.028801, 6),
      freshness: 0,
    });
  });

  test("a trainer that computes something else is a mismatch, and no fresh sampler", async () => {
    const { probed } = await probe({ trainerLogprob: -1 });
    expect(probed).toEqual({
      mismatchSum: 4 * 0.5 + 0.75,
      mismatchCount: 5,
      mismatchMax: 0.75,
      mismatchKlSum: expect.closeTo(4 * 0.106531 + 0.222367, 5),
      freshness: 0.5,
    });
  });

  test("what the model says it may differ by comes with what was measured", async () => {
    const model = new FakeModel();
    const tolerance = { logprob: 0.5, meanLogprob: 0.1, gradient: 0.05 };
    const telling = Object.assign(model, { info: { ...model.info, tolerance } });
    expect(await probePolicy(policyOf(telling), await model.snapshot(), rollouts)).toMatchObject({
      mismatchTolerance: 0.5,
      mismatchMeanTolerance: 0.1,
    });
  });

  test("a stale sampler shows though what was sampled agrees with the trainer", async () => {
    const { probed } = await probe({ samplerLogprob: -0.75 });
    expect(probed).toMatchObject({ mismatchMax: 0.25, freshness: 0.25 });
  });

  test.each([Number.NaN, Number.NEGATIVE_INFINITY])(
    "what is %s counts as far off, in a number that can be stored",
    async (trainerLogprob) => {
      const { probed } = await probe({ trainerLogprob });
      expect(probed).toEqual({
        mismatchSum: 5e6,
        mismatchCount: 5,
        mismatchMax: 1e6,
        mismatchKlSum: 5e6,
        freshness: 1e6,
      });
    },
  );

  test("nothing sampled, nothing compared", async () => {
    const { probed, model } = await probe({}, [rolloutOf(itemOf("c"), { text: "", cut: true })]);
    expect(probed).toEqual({});
    expect(model.log).toEqual(["snapshot"]);
  });

  test("takes a bounded number, spread over all", async () => {
    const many = Array.from({ length: 1000 }, (_, index) =>
      rolloutOf(itemOf("c"), "c", { logprobs: [index < 900 ? -0.5 : -0.75, -0.5] }),
    );
    const { probed } = await probe({}, many);
    expect(probed.mismatchCount).toBe(2 * 64);
    expect(probed.mismatchMax).toBe(0.25);
  });
});
