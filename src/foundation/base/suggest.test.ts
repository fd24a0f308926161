import { expect, test } from "vitest";
import { nearest } from "./suggest.ts";

test.each([
  ["modle", "model"],
  ["Model", "model"],
  ["learning_rate", "learningRate"],
  ["zzzzzz", undefined],
])("for %s it is %s that was meant", (name, meant) => {
  expect(nearest(name, ["model", "task", "learningRate"])).toBe(meant);
});

test("nothing is near where nothing is known", () => {
  expect(nearest("model", [])).toBeUndefined();
});

test.each([
  ["lr", ["kl", "learningRate"], "learningRate"],
  ["lr", ["kl"], undefined],
  ["gcn", ["gradientClipNorm"], "gradientClipNorm"],
  ["rwr", ["reward-weighted-regression"], "reward-weighted-regression"],
  ["k", ["keep"], undefined],
])("for %s among %j it is %s", (name, known, meant) => {
  expect(nearest(name, known)).toBe(meant);
});
