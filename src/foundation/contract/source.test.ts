import { expect, test } from "vitest";
import { readSource } from "./source.ts";

test.each([
  ["generator:reverse@1", { kind: "generator", name: "reverse@1", line: null }],
  ["my data.jsonl:12", { kind: "file", name: "my data.jsonl", line: 12 }],
  ["rows.csv:7 q-12:3", { kind: "file", name: "rows.csv", line: 7 }],
  ["rollout:abc/3/1", { kind: "model", name: "rollout:abc/3/1", line: null }],
  ["model:judge", { kind: "model", name: "model:judge", line: null }],
  ["by hand", { kind: "other", name: "by hand", line: null }],
])("%s", (source, parts) => {
  expect(readSource(source)).toEqual(parts);
});
