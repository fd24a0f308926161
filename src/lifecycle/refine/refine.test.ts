import { describe, expect, test } from "vitest";
import type { Harness, Item, SamplingPolicy } from "../../foundation/contract/index.ts";
import { itemOf, letters, type Said, type Speak, samplingOf } from "../../gro/rollout/testing/fakes.ts";
import { bestOfN, greedyDecoding, sampledDecoding, selfConsistency } from "./index.ts";

const answer = async (harness: Harness, speak: Speak, items: readonly Item[] = [itemOf("12=")]) => {
  const policy = samplingOf(speak);
  const answers = await harness.answer({ policy, items, maxTokens: () => 9, seed: 4 });
  expect(answers.map(({ item }) => item)).toEqual(items);
  for (const { rollouts } of answers) expect(rollouts).toHaveLength(harness.samplesPerItem);
  return {
    answers,
    requests: policy.sampler.calls.flat(),
    texts: answers.map(({ response }) => response.text),
  };
};
/** Says these one after the other. */
const says =
  (...said: Said[]): Speak =>
  (_, sample) =>
    said[sample] ?? "";
const said = (text: string, logprob: number, cut?: true): Said => ({
  text,
  logprob,
  ...(cut ? { cut } : {}),
});

describe("greedyDecoding", () => {
  test("is one answer an item at temperature 0", async () => {
    const { texts, requests } = await answer(greedyDecoding(), (prompt) => `>${prompt}`, [
      itemOf("a"),
      itemOf("b"),
    ]);
    expect(texts).toEqual([">a", ">b"]);
    expect(requests).toMatchObject([
      { samples: 1, parameters: { temperature: 0, maxTokens: 9 } },
      { samples: 1, parameters: { temperature: 0 } },
    ]);
  });
});

describe("sampledDecoding", () => {
  test("is one answer an item at a temperature", async () => {
    const { requests } = await answer(sampledDecoding({ temperature: 0.7, topP: 0.9 }), says("x"));
    expect(requests).toMatchObject([{ samples: 1, parameters: { temperature: 0.7, topP: 0.9 } }]);
  });
});

describe("bestOfN", () => {
  test("gives the answer that is likeliest a token, however long", async () => {
    const speak = says(said("short", -0.4), said("a much longer one", -0.3), said("x", -0.5));
    expect((await answer(bestOfN({ samples: 3 }), speak)).texts).toEqual(["a much longer one"]);
  });

  test("prefers what is complete, and takes the likeliest of the others where nothing is", async () => {
    const mixed = says(said("cut", -0.1, true), said("whole", -2), said("cut too", -0.2, true));
    expect((await answer(bestOfN({ samples: 3 }), mixed)).texts).toEqual(["whole"]);
    const none = says(said("first", -0.3, true), said("second", -0.2, true));
    const { answers } = await answer(bestOfN({ samples: 2 }), none);
    expect(answers[0]?.response).toEqual({ text: "second", complete: false });
  });

  test("the first of equals wins, and an answer without a token never does", async () => {
    expect((await answer(bestOfN({ samples: 2 }), says(said("a", -0.5), said("b", -0.5)))).texts).toEqual([
      "a",
    ]);
    const empty = says(said("", -0.1, true), said("b", -9, true));
    expect((await answer(bestOfN({ samples: 2 }), empty)).texts).toEqual(["b"]);
  });

  test("asks for its samples at its temperature", async () => {
    const { requests } = await answer(bestOfN({ samples: 3, temperature: 0.8 }), says());
    expect(requests).toMatchObject([{ samples: 3, parameters: { temperature: 0.8 } }]);
    expect(() => bestOfN({ samples: 1 })).toThrow(/"samples"/);
    expect(() => bestOfN({ n: 4 } as object)).toThrow(/no option "n"/);
  });
});

describe("bestOfN by a role", () => {
  /** Finds an answer as likely as its last character is great, a tenth of a nat. */
  const judge: SamplingPolicy = {
    ...samplingOf(says(), "verifier"),
    sampler: {
      ...samplingOf(says()).sampler,
      logprobs: async (sequences: readonly Int32Array[]) =>
        sequences.map((tokens) => {
          const [digit = ""] = letters.decode(tokens).slice(-1);
          return new Float32Array(tokens.length).fill(-1 + Number(digit) / 10);
        }),
    } as never,
  };
  const ranked = async (asked: readonly SamplingPolicy[] | undefined, ...texts: Said[]) => {
    const harness = bestOfN({ samples: texts.length, by: "verifier" });
    const policy = samplingOf(says(...texts));
    const request = { policy, items: [itemOf("12=")], maxTokens: () => 9, seed: 4 };
    const [first] = await harness.answer({ ...request, ...(asked === undefined ? {} : { asked }) });
    return { harness, said: first?.response.text };
  };

  test("gives what those weights find likeliest as a whole, however likely the writer found it", async () => {
    const { harness, said: text } = await ranked([judge], said("1", -0.1), said("7", -5), said("3", -0.2));
    expect(text).toBe("7");
    expect(harness).toMatchObject({ asks: ["verifier"], description: { by: "verifier" } });
    // Summed, not a token: three tokens at -.7 and the end are less likely than one at -.8.
    expect((await ranked([judge], "223", "2")).said).toBe("2");
  });

  test("prefers what is complete", async () => {
    expect((await ranked([judge], said("9", -0.1, true), said("1", -1))).said).toBe("1");
  });

  test("says so where nobody gave it these weights", async () => {
    const error = { code: "role-missing", message: expect.stringContaining("a method that delivers it") };
    await expect(ranked(undefined, "1", "2")).rejects.toThrow(expect.objectContaining(error));
    await expect(ranked([{ ...judge, role: "other" }], "1", "2")).rejects.toThrow(
      expect.objectContaining({ code: "role-missing" }),
    );
  });
});

describe("selfConsistency", () => {
  const vote = (...texts: Said[]) => answer(selfConsistency({ samples: texts.length }), says(...texts));

  test("gives the most frequent answer, however likely the others are", async () => {
    expect((await vote(said("x", -0.1), said("y", -3), said("y", -4))).texts).toEqual(["y"]);
  });

  test("on a tie the likelier answer wins", async () => {
    const tie = [said("x", -0.9), said("y", -0.2), said("x", -0.5), said("y", -0.8)];
    expect((await vote(...tie)).texts).toEqual(["y"]);
    expect((await vote(said("x", -0.5), said("y", -0.5))).texts).toEqual(["x"]);
  });

  test("what was cut off has no vote unless all were", async () => {
    expect((await vote(said("x", -0.1, true), said("x", -0.1, true), said("y", -3))).texts).toEqual(["y"]);
    const { answers } = await vote(said("x", -1, true), said("x", -1, true), said("y", -0.1, true));
    expect(answers[0]?.response).toEqual({ text: "x", complete: false });
  });

  test("can vote on a part of a response; the likeliest of the winning camp is given", async () => {
    const harness = selfConsistency({ samples: 4, vote: (text) => text.slice(-1) });
    const speak = says(said("11", -0.9), said("01", -0.3), said("0", -0.1), said("1", -0.6));
    expect((await answer(harness, speak)).texts).toEqual(["01"]);
  });

  test("what it votes on is part of what defines it", () => {
    const last = selfConsistency({ vote: (text) => text.slice(-1) });
    const first = selfConsistency({ vote: (text) => text.slice(0, 1) });
    expect(last.description).not.toEqual(first.description);
    expect(selfConsistency().description).toEqual({ samples: 8, temperature: 1, vote: "the whole text" });
    expect(() => selfConsistency({ vote: "last" } as object)).toThrow(/"vote": expected a function/);
  });
});
