import { expect, test } from "vitest";
import { searchIn } from "./find.ts";

const texts = [
  "Vienna lies on the Danube.",
  "The Danube rises in the Black Forest.",
  "The Black Sea takes the Danube.",
  "Cats sleep.",
].map((text, index) => ({ text, source: `document ${index + 1}` }));
const found = (query: string, most = 4): string[] =>
  searchIn(texts, most)(query).map(({ source }) => source.slice(-1));

test("finds what shares words with the query: rare words count for more, however they are written", () => {
  expect(found("VIENNA, danube?")[0]).toBe("1");
  expect(found("black forest")).toEqual(["2", "3"]);
  expect(found("danube", 2)).toHaveLength(2);
  expect(found("dogs")).toEqual([]);
});

test("scores as BM25 does, and texts that are as near stay in their order", () => {
  const two = searchIn(
    [
      { text: "a b", source: "1" },
      { text: "a b", source: "2" },
      { text: "b c c", source: "3" },
    ],
    3,
  );
  expect(two("a").map(({ source }) => source)).toEqual(["1", "2"]);
  expect(two("c b").map(({ source }) => source)).toEqual(["3", "1", "2"]);
});
