import { fc, test } from "@fast-check/vitest";
import { describe, expect } from "vitest";
import { doneInAll, eachPart, samplingParts } from "./sampling-parts.ts";

const endsOf = (items: number, samples: number): number[] =>
  samplingParts(items, samples).map(({ to }) => to);

describe("samplingParts", () => {
  test("are equal, and as few as have 512 sequences at most, up to eight", () => {
    expect(endsOf(0, 1)).toEqual([0]);
    expect(endsOf(512, 1)).toEqual([512]);
    expect(endsOf(2048, 1)).toEqual([512, 1024, 1536, 2048]);
    expect(endsOf(200, 8)).toEqual([50, 100, 150, 200]);
    expect(endsOf(3, 1000)).toEqual([1, 2, 3]);
    expect(endsOf(1001, 1)).toEqual([501, 1001]);
    expect(endsOf(20_000, 1)).toHaveLength(8);
    expect(endsOf(20_000, 1)[0]).toBe(2500);
  });

  test.prop([fc.integer({ min: 0, max: 50_000 }), fc.integer({ min: 0, max: 600 })])(
    "cover every item once, in order, and are eight at most",
    (items, samples) => {
      const parts = samplingParts(items, samples);
      expect(parts.map(({ from }) => from)).toEqual([0, ...parts.slice(0, -1).map(({ to }) => to)]);
      expect(parts.at(-1)?.to).toBe(items);
      expect(parts.length).toBeLessThanOrEqual(8);
    },
  );
});

describe("eachPart", () => {
  const parts = samplingParts(5 * 512, 1);

  test("gives results in order, however they end, with three under way at most", async () => {
    let [underWay, most] = [0, 0];
    const results = await eachPart(parts, async ({ from }) => {
      underWay += 1;
      most = Math.max(most, underWay);
      await new Promise((resolve) => setTimeout(resolve, from === 0 ? 20 : 1));
      underWay -= 1;
      return from;
    });
    expect(results).toEqual([0, 512, 1024, 1536, 2048]);
    expect(most).toBe(3);
  });

  test("an error begins nothing more, and is told when nothing is under way", async () => {
    const begun: number[] = [];
    let underWay = 0;
    const failing = eachPart(parts, async ({ from }) => {
      begun.push(from);
      if (from === 512) throw new Error("lost");
      underWay += 1;
      await new Promise((resolve) => setTimeout(resolve, 10));
      underWay -= 1;
    });
    await expect(failing).rejects.toThrow("lost");
    expect([begun, underWay]).toEqual([[0, 512, 1024], 0]);
  });

  test("tells how much of all is done, whichever part says so", () => {
    const heard: number[] = [];
    const tell = doneInAll((done) => heard.push(done));
    const [first, second] = parts;
    if (first === undefined || second === undefined) throw new Error("there are five");
    tell(first, 3);
    tell(second, 4);
    tell(first, 5);
    expect(heard).toEqual([3, 7, 9]);
  });
});
