import { fc, test as property } from "@fast-check/vitest";
import { expect } from "vitest";
import { PackedRows, packRows, textNumber } from "./packed-rows.ts";

const hexadecimal = fc
  .array(fc.integer({ min: 0, max: 15 }), { minLength: 32, maxLength: 32 })
  .map((digits) => digits.map((digit) => digit.toString(16)).join(""));
const example = fc.record({
  id: hexadecimal,
  times: fc.integer({ min: 1, max: 2 ** 32 - 1 }),
  prompt: fc.string(),
  answer: fc.string(),
});
const rest = { tokens: 1, item: "", source: "", writer: null };

property.prop([fc.array(example, { minLength: 1, maxLength: 9 }), fc.nat(), fc.integer({ min: 1, max: 32 })])(
  "packed rows hold what was packed, and are found by how an identity begins and by text",
  (given, some, digits) => {
    const examples = given.map((one) => ({ ...one, ...rest }));
    const packed = packRows(examples, (one) => one.times % 7);
    // As SQLite may hand them out: at any byte.
    const shifted = new Uint8Array(packed.length + 1);
    shifted.set(packed, 1);
    for (const rows of [new PackedRows(packed), new PackedRows(shifted.subarray(1))]) {
      expect(rows.length).toBe(examples.length);
      for (const [place, { id, times }] of examples.entries())
        expect([rows.id(place), rows.origin(place), rows.times(place), rows.key(place)]).toEqual([
          id,
          times % 7,
          times,
          rows.key(examples.findIndex((other) => other.id === id)),
        ]);
      const chosen = examples[some % examples.length] as (typeof examples)[number];
      const beginning = chosen.id.slice(0, digits);
      const placesWhere = (fits: (one: (typeof examples)[number]) => boolean): number[] =>
        examples.flatMap((one, place) => (fits(one) ? [place] : []));
      expect([...rows.placesOf(beginning)]).toEqual(placesWhere(({ id }) => id.startsWith(beginning)));
      for (const as of ["prompt", "answer"] as const)
        expect([...rows.placesWith(as, textNumber(`  ${chosen[as]}\n`))]).toEqual(
          placesWhere((one) => textNumber(one[as]) === textNumber(chosen[as])),
        );
    }
  },
);

property.prop([fc.string({ minLength: 1 }), fc.string({ minLength: 1 })])(
  "texts that differ have other numbers",
  (one, other) => {
    if (one.trim() !== other.trim()) expect(textNumber(one)).not.toBe(textNumber(other));
  },
);
