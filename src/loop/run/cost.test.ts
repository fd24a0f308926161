import { expect, test } from "vitest";
import type { Clock } from "../../foundation/base/index.ts";
import type { Engine, EngineCost, EnginePrices } from "../../foundation/contract/index.ts";
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

  const first = meterOf(round, engine, clock);
  expect(first.read()).toEqual({ ...spent, wallSeconds: 0 });
  spent = { busySeconds: 3, availableSeconds: 8, tokensSampled: 100, tokensTrained: 200, optimizerSteps: 5 };
  time += 4000;
  round.context.run.append("cost", { type: "cost-metered", round: 1, cost: first.read() });
  // The event does not count twice in the process that told it.
  expect(first.read()).toEqual({ ...spent, wallSeconds: 4 });

  round.reopen();
  spent = { busySeconds: 1, availableSeconds: 2, tokensSampled: 10, tokensTrained: 20, optimizerSteps: 1 };
  const second = meterOf(round, engine, clock);
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
  const { read, seal } = meterOf(round, engine, { now: () => 0, monotonic: () => 0 });
  const charge = seal();
  tokensSampled = 500;
  expect(read().tokensSampled).toBe(10);
  charge(800);
  expect(read().tokensSampled).toBe(810);
  tokensSampled = 505;
  expect(read().tokensSampled).toBe(815);
});

/** An engine and a clock whose numbers are set by hand. */
function byHand() {
  const cost = { busySeconds: 0, availableSeconds: 0, tokensSampled: 0, tokensTrained: 0, optimizerSteps: 0 };
  const time = { ms: 0 };
  const clock: Clock = { now: () => 0, monotonic: () => time.ms };
  return { cost, time, clock, engine: { cost: () => cost } as unknown as Engine };
}

test("the time of what is sealed is charged as so many tokens take, whatever it took; the clock of people goes on", () => {
  using round = new FakeContext();
  const { cost, time, clock, engine } = byHand();
  const { read, seal } = meterOf(round, engine, clock);
  Object.assign(cost, { tokensSampled: 600, tokensTrained: 400 });
  time.ms = 10_000;
  expect(read().chargedSeconds).toBeUndefined();
  const charge = seal();
  time.ms = 97_000;
  expect(read()).toMatchObject({ wallSeconds: 97, chargedSeconds: 10 });
  charge(2000);
  expect(read()).toMatchObject({ wallSeconds: 97, chargedSeconds: 30 });
  time.ms = 98_000;
  round.context.run.append("cost", { type: "cost-metered", round: 1, cost: read() });
  round.reopen();
  const later = byHand();
  expect(meterOf(round, later.engine, later.clock).read()).toMatchObject({
    wallSeconds: 98,
    chargedSeconds: 31,
  });
});

test("while a person is waited for no time is counted, neither the wall's nor the workers'", () => {
  using round = new FakeContext();
  const { cost, time, clock, engine } = byHand();
  const { read, pause } = meterOf(round, engine, clock);
  time.ms = 5000;
  cost.availableSeconds = 10;
  const goOn = pause();
  time.ms = 3_605_000;
  cost.availableSeconds = 7210;
  expect(read()).toMatchObject({ wallSeconds: 5, availableSeconds: 10 });
  goOn();
  time.ms += 1000;
  cost.availableSeconds += 2;
  expect(read()).toMatchObject({ wallSeconds: 6, availableSeconds: 12 });
  const again = pause();
  time.ms += 9000;
  again();
  expect(read().wallSeconds).toBe(6);
});

test("what is kept outlives a death that told nothing", () => {
  using round = new FakeContext();
  const first = byHand();
  const meter = meterOf(round, first.engine, first.clock);
  Object.assign(first.cost, { tokensSampled: 100, tokensTrained: 50, optimizerSteps: 2 });
  meter.keep();
  Object.assign(first.cost, { tokensSampled: 900 });
  round.reopen();
  const second = byHand();
  expect(meterOf(round, second.engine, second.clock).read()).toMatchObject({
    tokensSampled: 100,
    tokensTrained: 50,
    optimizerSteps: 2,
  });
});

test("an engine with prices is told in its currency, what was read included; one without has none", () => {
  using round = new FakeContext();
  const { cost, clock, engine } = byHand();
  expect(meterOf(round, engine, clock).read()).not.toHaveProperty("currency");
  const prices = { currency: "USD", read: 1, sampled: 2, trained: 4 };
  const { read, seal } = meterOf(round, engine, clock, prices);
  Object.assign(cost, { tokensRead: 1e6, tokensSampled: 2e6, tokensTrained: 3e6 });
  expect(read().currency).toBeCloseTo(1 + 4 + 12, 9);
  seal()(500_000);
  expect(read().currency).toBeCloseTo(18, 9);
});

function meterOf({ context }: FakeContext, engine: Engine, clock: Clock, prices?: EnginePrices) {
  return costMeter({ ledger: context.ledger, record: context.run, engine, clock, prices });
}

test("what stands aside is not counted, neither meanwhile nor afterwards", () => {
  using round = new FakeContext();
  let time = 0;
  const none = { tokensTrained: 0, optimizerSteps: 0 };
  let spent: EngineCost = { ...none, busySeconds: 1, availableSeconds: 2, tokensSampled: 10 };
  const clock = { now: () => 0, monotonic: () => time };
  const meter = meterOf(round, { cost: () => spent } as unknown as Engine, clock);
  time = 1000;
  const before = meter.read();
  expect(before).toEqual({ ...spent, wallSeconds: 1 });
  const counted = meter.aside();
  spent = { busySeconds: 9, availableSeconds: 18, tokensSampled: 500, tokensTrained: 70, optimizerSteps: 3 };
  time = 9000;
  expect(meter.read()).toEqual(before);
  counted();
  expect(meter.read()).toEqual(before);
  spent = { busySeconds: 10, availableSeconds: 20, tokensSampled: 501, tokensTrained: 72, optimizerSteps: 4 };
  time = 10_000;
  expect(meter.read()).toEqual({
    busySeconds: 2,
    availableSeconds: 4,
    tokensSampled: 11,
    tokensTrained: 2,
    optimizerSteps: 1,
    wallSeconds: 2,
  });
});
