import { describe, expect, expectTypeOf, test } from "vitest";
import type { RunDefinition } from "../round/definition.ts";
import { definitionOf } from "../round/testing/fake-context.ts";
import { isParametrisedRun, withParameters } from "./parameters.ts";

const parametrised = withParameters(
  { filter: ["peers", "none"], seed: 3, label: "a" },
  ({ filter, seed, label }) => definitionOf({ name: `${filter}-${label}`, seed }),
);
const refusal = (given: Readonly<Record<string, string>>): unknown => {
  try {
    parametrised.define(given);
    return undefined;
  } catch (error) {
    return error;
  }
};

describe("withParameters", () => {
  test("takes a default for what is not given: the first choice, the number, the text", () => {
    expect(parametrised.define({})).toMatchObject({ name: "peers-a", seed: 3 });
    expect(parametrised.define({ filter: "none", label: "", seed: "12" })).toMatchObject({
      name: "none-",
      seed: 12,
    });
  });

  test("types its values after their kinds", () => {
    withParameters({ one: ["x", "y"], two: 2, three: "t" }, (values): RunDefinition => {
      expectTypeOf(values).toEqualTypeOf<{
        readonly one: "x" | "y";
        readonly two: number;
        readonly three: string;
      }>();
      return definitionOf();
    });
  });

  test.each([
    [{ filtre: "none" }, "unknown-parameter", /no parameter "filtre"; did you mean "filter"\?/],
    [{ zzzzzz: "1" }, "unknown-parameter", /no parameter "zzzzzz"; it has "filter", "seed", "label"/],
    [{ toString: "1" }, "unknown-parameter", /no parameter "toString"/],
    [
      { filter: "peer" },
      "invalid-parameter",
      /"filter" cannot be "peer"; did you mean "peers"\? It can be "peers", "none"\./,
    ],
    [{ filter: "xyzxyz" }, "invalid-parameter", /"filter" cannot be "xyzxyz"; it can be "peers", "none"/],
    [{ filter: "" }, "invalid-parameter", /"filter" cannot be ""/],
    [{ seed: "abc" }, "invalid-parameter", /"seed" must be a number, not "abc"/],
    [{ seed: "" }, "invalid-parameter", /"seed" must be a number, not ""/],
    [{ seed: " " }, "invalid-parameter", /"seed" must be a number/],
    [{ seed: "Infinity" }, "invalid-parameter", /"seed" must be a number/],
    [{ seed: "1e999" }, "invalid-parameter", /"seed" must be a number/],
  ])("refuses %o", (given, code, message) => {
    expect(refusal(given)).toMatchObject({ code, category: "user" });
    expect((refusal(given) as Error).message).toMatch(message);
  });

  test("is recognised by its mark", () => {
    expect(isParametrisedRun(parametrised)).toBe(true);
    for (const other of [definitionOf(), null, undefined, {}, "x"])
      expect(isParametrisedRun(other)).toBe(false);
  });
});
