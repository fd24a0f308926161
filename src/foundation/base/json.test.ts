import { fc, test as property } from "@fast-check/vitest";
import { describe, expect, test } from "vitest";
import { canonicalJson, hashOf, type Json, sha256, strictJson } from "./json.ts";

const json = fc.jsonValue() as fc.Arbitrary<Json>;

describe("canonicalJson", () => {
  property.prop([json])("is JSON of the same value", (value) => {
    expect(JSON.parse(canonicalJson(value))).toEqual(JSON.parse(JSON.stringify(value)));
  });

  property.prop([fc.dictionary(fc.string(), json)])("does not depend on the order of members", (value) => {
    const turned = Object.fromEntries(Object.entries(value).reverse());
    expect(canonicalJson(turned)).toBe(canonicalJson(value));
  });

  test("has no spaces, sorts by code unit, and leaves out what is undefined", () => {
    expect(canonicalJson({ b: [1, null, "x"], a: undefined, B: { z: true, y: -0 } })).toBe(
      '{"B":{"y":0,"z":true},"b":[1,null,"x"]}',
    );
  });
});

describe("strictJson", () => {
  property.prop([json])("is what JSON.stringify writes", (value) => {
    expect(strictJson(value)).toBe(JSON.stringify(value));
  });

  test("keeps the order of members, and leaves out what is undefined", () => {
    expect(strictJson({ b: 1, a: undefined, c: [null, { z: "x" }] })).toBe('{"b":1,"c":[null,{"z":"x"}]}');
  });
});

describe.each([
  ["canonicalJson", canonicalJson],
  ["strictJson", strictJson],
])("%s", (_, write) => {
  test.each([[Number.NaN], [Number.POSITIVE_INFINITY], [() => 1], [10n], [Symbol("x")], [[undefined]]])(
    "refuses %s, which JSON would change",
    (value) => {
      expect(() => write({ value } as unknown as Json)).toThrow(TypeError);
    },
  );
});

test("hashes are SHA-256 in hexadecimal", () => {
  // printf abc | sha256sum
  expect(sha256("abc")).toBe("ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
  expect(hashOf({ b: 1, a: 2 })).toBe(sha256('{"a":2,"b":1}'));
});
