import { describe, expect, test } from "vitest";
import type { SamplingParameters } from "../../../foundation/contract/index.ts";
import { Chooser } from "./choose.ts";

const logits = Float64Array.of(0.3, -1.2, 2, Number.NEGATIVE_INFINITY, 1.4, 1.9, -0.4, 0.9);
const draws = [0, 0.1, 0.25, 0.5, 0.7, 0.9, 1 - 2 ** -24];
const chooser = new Chooser(logits.length);
const choose = (parameters: Partial<SamplingParameters>, draw: number, of = logits): number =>
  chooser.choose(of, { maxTokens: 1, ...parameters }, draw);

describe("Chooser", () => {
  // From `choose` of whetstone_engine, for the same logits and draws.
  test.each<readonly [Partial<SamplingParameters>, readonly number[]]>([
    [{}, [0, 2, 2, 4, 5, 7, 7]],
    [{ temperature: 0.5 }, [0, 2, 2, 4, 5, 5, 7]],
    [{ temperature: 3 }, [0, 0, 2, 4, 5, 7, 7]],
    [{ topK: 2 }, [2, 2, 2, 2, 5, 5, 5]],
    [{ topP: 0.7 }, [2, 2, 2, 5, 5, 4, 4]],
    [{ minP: 0.3 }, [2, 2, 2, 5, 4, 7, 7]],
    [{ temperature: 1.5, topK: 5, topP: 0.8, minP: 0.2 }, [2, 2, 2, 5, 4, 7, 7]],
    [{ topK: 1 }, [2, 2, 2, 2, 2, 2, 2]],
    [{ topP: 0.01 }, [2, 2, 2, 2, 2, 2, 2]],
  ])("chooses what the Python engine does: %j", (parameters, tokens) => {
    expect(draws.map((draw) => choose(parameters, draw))).toEqual(tokens);
  });

  test("takes the likeliest token at temperature 0, and of equal ones the first", () => {
    expect(choose({ temperature: 0, topK: 3 }, 0.99)).toBe(2);
    for (const temperature of [1e-30, Number.MIN_VALUE]) expect(choose({ temperature }, 0.99)).toBe(2);
    expect(choose({ temperature: 0 }, 0.99, Float64Array.of(-1, 3, 3, 0, 0, 0, 0, 0))).toBe(1);
  });

  test("never chooses an impossible token, however the draw is rounded", () => {
    const last = Float64Array.of(0, 0, 0, 0, 0, 0, 0, Number.NEGATIVE_INFINITY);
    expect(choose({}, 1, last)).toBe(6);
    expect(choose({ topK: 8 }, 1, last)).toBe(6);
    const first = Float64Array.of(Number.NEGATIVE_INFINITY, 0, 0, 0, 0, 0, 0, 0);
    expect(choose({}, 0, first)).toBe(1);
  });
});
