import { expect, test } from "vitest";
import { readBudget } from "./budget-flag.ts";

test.each([
  ["rounds=8", { rounds: 8 }],
  ["rounds=8,tokens=2M", { rounds: 8, tokens: 2_000_000 }],
  ["tokens=0.3M, steps=20k", { tokens: 300_000, steps: 20_000 }],
  ["wallSeconds=2h", { wallSeconds: 7200 }],
  ["wall-seconds=1.5min,currency=2.50", { wallSeconds: 90, currency: 2.5 }],
  ["tokens=none,rounds=0", { tokens: null, rounds: 0 }],
])("%s", (text, budget) => {
  expect(readBudget(text)).toEqual(budget);
});

test.each([
  ["", /takes parts such as rounds=8,tokens=2M, and "" is none/],
  ["rounds", /"rounds" is none/],
  ["round=8", /A budget has no "round"; did you mean rounds\?/],
  ["weeks=2", /it has rounds, tokens, steps, wallSeconds, currency\./],
  ["rounds=none", /rounds of --budget is an amount such as 8, not "none"/],
  ["rounds=1.5", /such as 8, not "1\.5"/],
  ["tokens=2X", /such as 2M, 500k or none, not "2X"/],
  ["tokens=-5", /not "-5"/],
  ["tokens=0", /not "0"/],
  ["wallSeconds=2M", /such as 5400, 90min, 2h or none, not "2M"/],
  ["currency=5USD", /such as 2\.5 or none, not "5USD"/],
  ["rounds=4,rounds=5", /names rounds twice/],
])("%j is refused, and the right form is named", (text, message) => {
  expect(() => readBudget(text)).toThrow(message);
});
