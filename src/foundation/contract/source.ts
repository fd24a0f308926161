/** What an item names as its source, taken apart. */
export interface SourceParts {
  /** `model` where a model made the item: a rollout, or a model that was asked. */
  readonly kind: "generator" | "file" | "model" | "other";
  /** The generator with its version, the file, or the source as it stands. */
  readonly name: string;
  /** The line of the file, or the number of its row; null elsewhere. */
  readonly line: number | null;
}

/** Reads `generator:reverse@1`, `data.jsonl:12`, `data.jsonl:12 id`, `rollout:…` and `model:…`; anything else is `other`. */
export function readSource(source: string): SourceParts {
  const [, maker, name = ""] = /^(generator|rollout|model):(.+)$/su.exec(source) ?? [];
  if (maker === "generator") return { kind: "generator", name, line: null };
  if (maker !== undefined) return { kind: "model", name: source, line: null };
  const [, file, line] = /^(.+?):(\d+)(?: .*)?$/su.exec(source) ?? [];
  if (file !== undefined) return { kind: "file", name: file, line: Number(line) };
  return { kind: "other", name: source, line: null };
}
