import { expect, test } from "vitest";
import { checkedEngine } from "./checked-engine.ts";

test("the local engine is opened so that equal calls give equal bits where that is asked, and no other is", () => {
  expect(checkedEngine("local", true)).toMatchObject({
    description: { workers: 1, deterministic: true },
    abilities: { deterministic: ["calls", "engines"] },
  });
  expect(checkedEngine("local").abilities?.deterministic).toBeUndefined();
  expect(checkedEngine("tabular").name).toBe("tabular");
  expect(() => checkedEngine("tabular", true)).toThrow("--deterministic is for the local engine");
});
