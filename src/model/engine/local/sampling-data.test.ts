import { describe, expect, test } from "vitest";
import type { SampleRequest, SamplingParameters } from "../../../foundation/contract/index.ts";
import { packRequests, unpackSamples } from "./sampling-data.ts";

const request = (parameters: SamplingParameters, samples = 1): SampleRequest => ({
  prompt: Int32Array.of(1, 2),
  samples,
  seed: 2 ** 40 + 3,
  parameters,
});

describe("packRequests()", () => {
  test("names each set of parameters once, in whatever order it is written", () => {
    const { head, arrays } = packRequests([
      request({ maxTokens: 4, topK: 3, temperature: 0.5 }),
      request({ maxTokens: 4 }),
      request({ temperature: 0.5, topK: 3, maxTokens: 9 }),
      request({ maxTokens: 1, temperature: 1 }),
    ]);
    expect(head.parameters).toMatchObject([{ temperature: 0.5, topK: 3 }, { temperature: 1 }]);
    expect(arrays.parameters?.parts).toEqual([Int32Array.of(0, 1, 0, 1)]);
    expect(arrays.maxTokens?.parts).toEqual([Int32Array.of(4, 4, 9, 1)]);
    expect(arrays.seeds?.parts[0]?.[0]).toBe(2n ** 40n + 3n);
  });

  test("a limit beyond 32 bits does not wrap", () => {
    const { arrays } = packRequests([request({ maxTokens: 2 ** 32 + 5 })]);
    expect(arrays.maxTokens?.parts).toEqual([Int32Array.of(2 ** 31 - 1)]);
  });

  test("says of a prompt without tokens what is wrong with it", () => {
    const empty = { ...request({ maxTokens: 1 }), prompt: new Int32Array() };
    expect(() => packRequests([request({ maxTokens: 1 }), empty])).toThrow("The prompt has no tokens.");
  });

  test.each([
    [{ maxTokens: 0 }, 1],
    [{ maxTokens: 1.5 }, 1],
    [{ maxTokens: 1 }, 2 ** 32 + 1],
    [{ maxTokens: 1, stopStrings: ["a", "\ud800"] }, 1],
  ])("refuses %j for %d samples", (parameters, samples) => {
    expect(() => packRequests([request(parameters, samples)])).toThrowError(
      expect.objectContaining({ code: "bad-request" }),
    );
  });

  test.each([-1, 0.5, 2 ** 48, Number.NaN])("refuses the seed %d", (seed) => {
    const wrong = { ...request({ maxTokens: 1 }), seed };
    expect(() => packRequests([wrong])).toThrowError(expect.objectContaining({ code: "bad-request" }));
  });
});

describe("unpackSamples()", () => {
  test("gives each sample its own tokens, the most probable ones and what was there already", () => {
    const requests = [
      request({ maxTokens: 2, topLogprobs: 2 }, 2),
      request({ maxTokens: 2 }),
      request({ maxTokens: 2, topLogprobs: 1 }),
    ];
    const [first, second, third] = unpackSamples(requests, {
      lengths: Int32Array.of(2, 1, 1, 2),
      reasons: Uint8Array.of(1, 0, 0, 1),
      cached: Int32Array.of(0, 7, 0),
      tokens: Int32Array.of(1, 2, 3, 4, 5, 6),
      logprobs: Float32Array.of(-1, -2, -3, -4, -5, -6),
      top_tokens: Int32Array.of(10, 11, 12, 13, 14, 15, 16, 17),
      top_logprobs: Float32Array.of(0, 1, 2, 3, 4, 5, 6, 7),
    });
    expect(first).toEqual([
      {
        tokens: Int32Array.of(1, 2),
        logprobs: Float32Array.of(-1, -2),
        stopReason: "length",
        top: { k: 2, tokens: Int32Array.of(10, 11, 12, 13), logprobs: Float32Array.of(0, 1, 2, 3) },
      },
      {
        tokens: Int32Array.of(3),
        logprobs: Float32Array.of(-3),
        stopReason: "stop",
        top: { k: 2, tokens: Int32Array.of(14, 15), logprobs: Float32Array.of(4, 5) },
      },
    ]);
    expect(second).toEqual([
      {
        tokens: Int32Array.of(4),
        logprobs: Float32Array.of(-4),
        stopReason: "stop",
        promptCacheHitTokens: 7,
      },
    ]);
    expect(third?.[0]?.top).toEqual({ k: 1, tokens: Int32Array.of(16, 17), logprobs: Float32Array.of(6, 7) });
  });
});
