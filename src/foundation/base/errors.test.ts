import { expect, test } from "vitest";
import { internalError, isWhetstoneError, messageOf, userError, WhetstoneError } from "./errors.ts";

test("an error carries its code, its category, its details and its cause", () => {
  const cause = new Error("below");
  const error = new WhetstoneError({ code: "x", category: "engine", message: "m", details: { a: 1 }, cause });
  expect(error).toMatchObject({
    name: "WhetstoneError",
    code: "x",
    category: "engine",
    details: { a: 1 },
    cause,
  });
  expect(userError("y", "m")).toMatchObject({ code: "y", category: "user", details: {} });
  expect(internalError("m", { b: 2 })).toMatchObject({
    code: "internal",
    category: "internal",
    details: { b: 2 },
  });
  expect(internalError("m").message).toMatch(/^m \(.*report/);
});

test("is recognised by its mark, also when another copy of the package made it", () => {
  const foreign = Object.assign(new Error("m"), { [Symbol.for("whetstone.error")]: true });
  expect(isWhetstoneError(foreign)).toBe(true);
  expect(isWhetstoneError(userError("x", "m"))).toBe(true);
  for (const other of [new Error("m"), null, undefined, "m", { code: "x" }])
    expect(isWhetstoneError(other)).toBe(false);
});

test("whatever was thrown has one line for people", () => {
  expect(messageOf(new Error("m"))).toBe("m");
  expect(messageOf("text")).toBe("text");
  expect(messageOf(undefined)).toBe("undefined");
});
