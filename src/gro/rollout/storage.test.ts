import { fc, test as property } from "@fast-check/vitest";
import { expect, test } from "vitest";
import type { ScoredGroup } from "../../foundation/contract/index.ts";
import { restoreGroup, storeGroup } from "./storage.ts";
import { groupOf, itemOf, rolloutOf } from "./testing/fakes.ts";

const throughJson = (group: ScoredGroup): ScoredGroup =>
  restoreGroup(JSON.parse(JSON.stringify(storeGroup(group))));

const float = fc
  .float({ noNaN: true, noDefaultInfinity: true })
  .map((value) => (Object.is(value, -0) ? 0 : value));

property.prop([
  fc.array(
    fc.record({
      text: fc.string({ unit: "binary-ascii" }),
      cut: fc.boolean(),
      logprobs: fc.array(float, { minLength: 12, maxLength: 12 }),
      reward: fc.option(fc.double({ min: 0, max: 1, noNaN: true }), { nil: null }),
      role: fc.constantFrom("solver", "peer"),
      sample: fc.nat(),
      seed: fc.maxSafeNat(),
    }),
    { maxLength: 4 },
  ),
])("groups come back bit for bit", (attempts) => {
  const item = itemOf("12");
  const group: ScoredGroup = {
    item,
    rollouts: attempts.map(({ text, cut, logprobs, reward, role, sample, seed }) => {
      const said = { text, ...(cut ? { cut: true as const } : {}) };
      const found = cut ? { found: ["document:0#0-1", "document:1#0-1"] } : {};
      const rollout = { ...rolloutOf(item, said, { role, logprobs }), sample, seed, ...found };
      return { rollout, reward, parts: { length: text.length } };
    }),
  };
  expect(throughJson(group)).toEqual(group);
});

test("logprobs keep the 32 bits that they have", () => {
  const logprobs = Float32Array.from([-1e-7, -0.1, -1 / 3, -87.336_54, -3.4e38]);
  const [restored] = throughJson({
    item: itemOf("1"),
    rollouts: [
      { rollout: rolloutOf(itemOf("1"), "abcd", { logprobs: [...logprobs] }), reward: 1, parts: {} },
    ],
  }).rollouts;
  const segment = restored?.rollout.segments[1];
  expect(segment?.kind === "sampled" && new Uint32Array(segment.logprobs.buffer)).toEqual(
    new Uint32Array(logprobs.buffer),
  );
});

test("a row that is none is refused", () => {
  const stored = storeGroup(groupOf("12", [["21", 1]]));
  expect(() => restoreGroup({ ...stored, item: undefined })).toThrow(/item/);
  expect(() => restoreGroup({ ...stored, rollouts: [{ ...stored.rollouts[0], logprobs: [null] }] })).toThrow(
    /logprobs/,
  );
});
