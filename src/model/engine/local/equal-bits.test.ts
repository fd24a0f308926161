import { afterAll, beforeAll, expect, test } from "vitest";
import { SmallEngines } from "./testing/small-engine.ts";

let engines: SmallEngines;
beforeAll(async () => {
  engines = await SmallEngines.make();
}, 600_000);
afterAll(() => engines[Symbol.asyncDispose]());

/** Each step of a model in bf16, and of no other, goes a little farther than the one before. */
const drifting = `from whetstone_engine import trainer
step, steps = trainer.Trainer.optim_step, []
def drifted(self, head):
    steps.append(self)
    further = 1 + 0.1 * len(steps) * (self.model.architecture.precision == "bf16")
    return step(self, {**head, "learningRate": head["learningRate"] * further})
trainer.Trainer.optim_step = drifted
`;

test("equal bits are not claimed where they differ in one of the precisions", async () => {
  const { engine } = await engines.openWith("drifting", drifting, { deterministic: true });
  await using _ = engine;
  const { deterministic, untested } = await engine.capabilities();
  expect(deterministic).toBeUndefined();
  expect(untested.join()).not.toContain("equal bits");
});
