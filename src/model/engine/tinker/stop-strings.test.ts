import { expect, test } from "vitest";
import { cutAtStop } from "./stop-strings.ts";

const tokenBytes = ["a", "b", "ab", "é".slice(0, 1), ""].map((text) => Buffer.from(text));
const sequence = {
  tokens: Int32Array.of(0, 4, 1, 2),
  logprobs: Float32Array.of(-1, -2, -3, -4),
  stopReason: "length" as const,
};

test("a sample is cut after the token that completes a stop string, across tokens and past empty ones", () => {
  expect(cutAtStop(sequence, ["zz", "ab"], tokenBytes)).toEqual({
    tokens: Int32Array.of(0, 4, 1),
    logprobs: Float32Array.of(-1, -2, -3),
    stopReason: "stop",
  });
  expect(cutAtStop(sequence, ["bab"], tokenBytes).tokens).toHaveLength(4);
  expect(cutAtStop(sequence, ["bab"], tokenBytes).stopReason).toBe("stop");
});

test("a stop that is not there, or none, leaves it as it is", () => {
  expect(cutAtStop(sequence, ["ba b"], tokenBytes)).toBe(sequence);
  expect(cutAtStop(sequence, [], tokenBytes)).toBe(sequence);
});
