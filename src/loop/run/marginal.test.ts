import { expect, test } from "vitest";
import type { Cost, Gain, Measurement, RunEvent } from "../../foundation/contract/index.ts";
import { marginalOf } from "./marginal.ts";

const cost = (tokensSampled: number): Cost => ({
  tokensSampled,
  tokensTrained: 0,
  optimizerSteps: 0,
  busySeconds: 0,
  availableSeconds: 0,
  wallSeconds: tokensSampled / 10,
});
const gainOf = (mean: number, low: number, high: number): Gain => ({
  mean,
  interval: { low, high },
  pairs: 100,
});
const base: RunEvent[] = [
  { type: "validation-measured", round: 0, who: "base", measurement: { mean: 0.5 } as Measurement },
  { type: "cost-metered", round: 0, cost: cost(100) },
];
const started = (round: number): RunEvent => ({
  type: "round-started",
  round,
  plan: "",
  startFrom: "champion",
  seedHash: "",
});
/** A round that cost 100 and left the whole run at `at`. */
const round = (number: number, at: number, gain: Gain, mean: number, promoted: boolean): RunEvent[] => [
  started(number),
  {
    type: "validation-measured",
    round: number,
    who: "candidate",
    measurement: { mean } as Measurement,
    gain,
  },
  ...(promoted ? [{ type: "candidate-promoted", round: number, checkpoint: `c${number}` } as const] : []),
  { type: "cost-metered", round: number, cost: cost(at) },
  { type: "round-finished", round: number, seconds: 1 },
];
const marginal = (...events: RunEvent[][]) =>
  marginalOf(events.flat().map((event, index) => ({ id: index + 1, run: "1-x", at: 0, event })));

const first = round(1, 200, gainOf(0.1, 0.04, 0.16), 0.6, true);
const second = round(2, 300, gainOf(-0.02, -0.08, 0.04), 0.58, false);
const third = round(3, 500, gainOf(0.08, 0, 0.16), 0.68, true);

test("nothing is said before a round is finished, nor where decisions are only recorded", () => {
  expect(marginal(base)).toBeNull();
  expect(marginal(base, first.slice(0, -1))).toBeNull();
  const observed = { type: "run-started", observe: true } as RunEvent;
  expect(marginal([observed], base, first)).toBeNull();
});

test("promoted gains are added, their intervals as independent ones, over the cost of all rounds", () => {
  const told = marginal(base, first, second, third);
  expect(told?.rounds).toEqual([1, 2, 3]);
  expect(told?.gain).toBeCloseTo(0.18, 12);
  // √(.06² + .08²) = .10 on either side.
  expect(told?.interval?.low).toBeCloseTo(0.08, 12);
  expect(told?.interval?.high).toBeCloseTo(0.28, 12);
  expect(told?.room).toBeCloseTo(0.32, 12);
  expect(told?.cost).toEqual(cost(400));
});

test("only the last three rounds count", () => {
  const fourth = round(4, 600, gainOf(0.01, -0.01, 0.03), 0.69, false);
  const told = marginal(base, first, second, third, fourth);
  expect(told?.rounds).toEqual([2, 3, 4]);
  expect(told?.gain).toBeCloseTo(0.08, 12);
  expect(told?.cost).toEqual(cost(400));
});

test("without a promotion there is no interval", () => {
  const told = marginal(base, second);
  expect(told).toMatchObject({ rounds: [2], gain: 0, interval: null, room: 0.5, cost: cost(200) });
});

test("what an interruption metered belongs to the round that it cut off", () => {
  const interrupted: RunEvent[] = [
    started(2),
    { type: "cost-metered", round: 1, cost: cost(250) },
    { type: "run-interrupted", round: 1, reason: "" },
  ];
  const told = marginal(base, first, interrupted, second);
  expect(told?.cost).toEqual(cost(200));
  const early: RunEvent[] = [started(1), { type: "cost-metered", round: 0, cost: cost(150) }];
  expect(marginal(base, early, first)?.cost).toEqual(cost(100));
});

test("a promotion that a person took back gained nothing", () => {
  const back: RunEvent = {
    type: "champion-rolled-back",
    round: 3,
    from: { round: 3, checkpoint: "c3" },
    to: { round: 1, checkpoint: "c1" },
    reason: "",
    by: "person",
  };
  const told = marginal(base, first, second, third, [back]);
  expect(told?.gain).toBeCloseTo(0.1, 12);
  expect(told?.room).toBeCloseTo(0.4, 12);
});
