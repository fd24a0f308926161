import { fc, test as property } from "@fast-check/vitest";
import { expect, test } from "vitest";
import { canonicalOf } from "./canonical.ts";

const text = fc.string({
  unit: fc.constantFrom("a", "e", "\u0301", "é", " ", "\u00a0", "\t", "\n", "한", "ᄒ"),
});

property.prop([text])("is the same for all ways of writing one prompt, and stands for itself", (prompt) => {
  const canonical = canonicalOf({ prompt });
  expect(canonical).toBe(prompt.normalize("NFC").split(/\s+/u).join(" ").trim());
  expect(canonicalOf({ prompt: canonical })).toBe(canonical);
  expect(canonicalOf({ prompt: ` ${prompt.normalize("NFD")}\n` })).toBe(canonical);
});

test("of a conversation tells roles and messages apart", () => {
  const one = [
    { role: "system", content: "a" },
    { role: "user", content: "b  c" },
  ];
  const other = [
    { role: "user", content: "a" },
    { role: "user", content: "b c" },
  ];
  const [first, second] = [one, other].map((messages) => canonicalOf({ prompt: "b c", messages }));
  expect(first).toBe('[["system","a"],["user","b c"]]');
  expect(second).not.toBe(first);
});
