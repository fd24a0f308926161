import { expect, test } from "vitest";
import { partsUnderWay } from "./references.ts";

test("parts of rollouts are needed until the whole is stored", () => {
  const part = "a".repeat(64);
  const steps = [
    { name: "round-1/optimize/pass-0/rollouts/solver/512", result: { part } },
    { name: "round-1/optimize/pass-0/update/solver/50", result: { part: "b".repeat(64) } },
  ];
  expect(partsUnderWay(steps)).toEqual([part]);
  const whole = { name: "round-1/optimize/pass-0/rollouts", result: { artifact: "c".repeat(64) } };
  expect(partsUnderWay([...steps, whole])).toEqual([]);
});
