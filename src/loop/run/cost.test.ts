import { expect, test } from "vitest";
import type { Engine, EngineCost } from "../../foundation/contract/index.ts";
import { FakeContext } from "../round/testing/fake-context.ts";
import { costMeter } from "./cost.ts";

test("cost counts on over the processes of a run", () => {
  using round = new FakeContext();
  let time = 10_000;
  const clock = { now: () => 0, monotonic: () => time };
  let spent: EngineCost = {
    busySeconds: 0,
    availableSeconds: 0,
    tokensSampled: 0,
    tokensTrained: 0,
    optimizerSteps: 0,
  };
  const engine = { cost: () => spent } as unknown as Engine;

  const first = costMeter(round.context.run, engine, clock);
  expect(first.read()).toEqual({ ...spent, wallSeconds: 0 });
  spent = { busySeconds: 3, availableSeconds: 8, tokensSampled: 100, tokensTrained: 200, optimizerSteps: 5 };
  time += 4000;
  round.context.run.append("cost", { type: "cost-metered", round: 1, cost: first.read() });
  // The event does not count twice in the process that told it.
  expect(first.read()).toEqual({ ...spent, wallSeconds: 4 });

  round.reopen();
  spent = { busySeconds: 1, availableSeconds: 2, tokensSampled: 10, tokensTrained: 20, optimizerSteps: 1 };
  const second = costMeter(round.context.run, engine, clock);
  time += 500;
  expect(second.read()).toEqual({
    busySeconds: 4,
    availableSeconds: 10,
    tokensSampled: 110,
    tokensTrained: 220,
    optimizerSteps: 6,
    wallSeconds: 4.5,
  });
});

test("while it is sealed no sampled token is counted, and then what is charged", () => {
  using round = new FakeContext();
  let tokensSampled = 10;
  const engine = {
    cost: () => ({ busySeconds: 0, availableSeconds: 0, tokensSampled, tokensTrained: 0, optimizerSteps: 0 }),
  } as unknown as Engine;
  const { read, seal } = costMeter(round.context.run, engine, { now: () => 0, monotonic: () => 0 });
  const charge = seal();
  tokensSampled = 500;
  expect(read().tokensSampled).toBe(10);
  charge(800);
  expect(read().tokensSampled).toBe(810);
  tokensSampled = 505;
  expect(read().tokensSampled).toBe(815);
});
