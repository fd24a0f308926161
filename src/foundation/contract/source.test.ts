import { expect, test } from "vitest";
import { documentSource, readSource } from "./source.ts";

test.each([
  ["generator:reverse@1", { kind: "generator", name: "reverse@1", line: null }],
  ["my data.jsonl:12", { kind: "file", name: "my data.jsonl", line: 12 }],
  ["rows.csv:7 q-12:3", { kind: "file", name: "rows.csv", line: 7 }],
  ["rollout:abc/3/1", { kind: "model", name: "rollout:abc/3/1", line: null }],
  ["model:judge", { kind: "model", name: "model:judge", line: null }],
  ["by hand", { kind: "other", name: "by hand", line: null }],
])("%s", (source, parts) => {
  expect(readSource(source)).toEqual({ ...parts, document: null });
});

const sha256 = "0123".repeat(16);
const span = { sha256, from: 0, to: 40 };

test.each([
  ["my facts.jsonl:12", { name: "my facts.jsonl", line: 12 }, { file: "my facts.jsonl", line: 12 }],
  ["generator:reverse@1", { name: "reverse@1", line: null }, { file: null, line: null }],
  ["", { name: "texts that were given", line: null }, { file: null, line: null }],
])(
  "a document that stands in “%s” is told with its span, and so is that a model was asked about it",
  (where, parts, place) => {
    const source = documentSource({ ...span, where });
    const document = { ...span, ...place };
    expect(readSource(source)).toEqual({ kind: "document", ...parts, document });
    const name = `model:solver from documents of ${parts.name}`;
    expect(readSource(`model:solver from ${source}`)).toEqual({ kind: "model", name, line: null, document });
  },
);
