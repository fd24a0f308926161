import { fc, test as property } from "@fast-check/vitest";
import { describe, expect, test } from "vitest";
import type { Verdict } from "../../../foundation/contract/index.ts";
import { itemOf } from "../items.ts";
import { reverse } from "../reverse.ts";
import { type JsonOptions, json } from "./json.ts";

const base = itemOf(reverse(), { prompt: "1=", difficulty: 1 });
const verdictOf = async (options: JsonOptions, answer: string, text: string): Promise<Verdict> =>
  await json(options).verify({ ...base, answer }, { text, complete: true });

describe("json", () => {
  test.each<[JsonOptions, string, string, number]>([
    [{}, `{"a":1,"b":[true,null]}`, `{ "b": [true, null], "a": 1.0 }`, 1],
    [{}, `{"a":1}`, '```json\n{"a": 1}\n```', 1],
    [{}, `{"a":1}`, 'Here:\n```\n{"a": 2}\n```\nNo:\n```json\n{"a": 1}\n```\nDone.', 1],
    [{}, `{"a":1}`, '~~~\n{"a": 1}\n~~~', 1],
    [{}, `{"a":1}`, 'Here: {"a": 1}', 0],
    [{}, `{"a":1}`, `{"a":1,"b":2}`, 0],
    [{}, `{"a":1,"b":2}`, `{"a":1}`, 0],
    [{}, `{"a":1}`, `{"a":"1"}`, 0],
    [{}, `{"a":1}`, `{"a":1}x`, 0],
    [{}, `{"a":null}`, "{}", 0],
    [{}, "[1,2]", "[2,1]", 0],
    [{ ignoreOrder: true }, "[1,[2,3]]", "[[3,2],1]", 1],
    [{ ignoreOrder: true }, "[1,1,2]", "[1,2,2]", 0],
    [{}, "12345678901234567890", "12345678901234567891", 0],
    [{}, "1e400", "1e400", 1],
    [{}, "100", "1e2", 1],
    [{}, "0", "-0", 1],
    [{}, `"é"`, `"\\u00e9"`, 1],
    [{}, `{"__proto__":1}`, "{}", 0],
    [{}, `{"__proto__":1}`, `{"__proto__":1}`, 1],
  ])("%j with the answer %s gives %s the score %d", async (options, answer, text, score) => {
    expect(await verdictOf(options, answer, text)).toMatchObject({ outcome: "scored", score });
  });

  test("tells form from content", async () => {
    const schema = { type: "object", properties: { a: { type: "integer" } }, required: ["a"] };
    const partsOf = async (text: string): Promise<unknown> => await verdictOf({ schema }, `{"a":1}`, text);
    expect(await partsOf("no")).toEqual({ outcome: "scored", score: 0, parts: { json: 0, schema: 0 } });
    expect(await partsOf("[]")).toEqual({ outcome: "scored", score: 0, parts: { json: 1, schema: 0 } });
    expect(await partsOf(`{"a":2}`)).toEqual({ outcome: "scored", score: 0, parts: { json: 1, schema: 1 } });
    expect(await partsOf(`{"a":1}`)).toEqual({ outcome: "scored", score: 1, parts: { json: 1, schema: 1 } });
    expect(json({ schema }).faultOf?.({ prompt: "", answer: `{"a":"x"}` })).toMatch(
      /does not fit the schema/,
    );
  });

  test("says which answers are no JSON, and refuses schemas that are none", () => {
    expect(json().faultOf?.({ prompt: "", answer: "{a: 1}" })).toBe('"{a: 1}" is not JSON');
    expect(json().faultOf?.({ prompt: "", answer: "" })).toBe('"" is not JSON');
    expect(() => json({ schema: { type: "objekt" } })).toThrow(/option "schema"/);
    expect(() => json({ schema: { type: "string", pattern: "(a+)+$" } })).toThrow(
      /patterns may take time without end/,
    );
    expect(() => json({ ignoreorder: true } as never)).toThrow(/did you mean "ignoreOrder"/);
  });

  test("scores what is too deep or too long 0", async () => {
    for (const text of [
      "[".repeat(100_000) + "]".repeat(100_000),
      "[".repeat(600) + "]".repeat(600),
      `"${"x".repeat(2_000_000)}"`,
      "```\n".repeat(100_000),
    ])
      expect(await verdictOf({}, "[]", text)).toMatchObject({ outcome: "scored", score: 0 });
  });

  property.prop([fc.jsonValue(), fc.jsonValue(), fc.boolean()])(
    "is equality of values",
    async (one, other, ignoreOrder) => {
      const [answer, text] = [JSON.stringify(one), JSON.stringify(other, null, 3)];
      expect(await verdictOf({ ignoreOrder }, answer, JSON.stringify(one, null, 2))).toMatchObject({
        score: 1,
      });
      const same = JSON.stringify(sorted(one)) === JSON.stringify(sorted(other));
      if (!ignoreOrder) expect(await verdictOf({}, answer, text)).toMatchObject({ score: same ? 1 : 0 });
    },
  );
});

function sorted(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(sorted);
  if (typeof value !== "object" || value === null) return value;
  return Object.entries(value)
    .map(([key, member]) => [key, sorted(member)])
    .sort(([a], [b]) => ((a as string) < (b as string) ? -1 : 1))
    .concat([["object"]]);
}
