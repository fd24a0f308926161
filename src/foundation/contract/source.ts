/** A stretch of a document that something was made from. */
export interface DocumentSpan {
  /** SHA-256 of the whole document, in hexadecimal: whoever has it can tell that it is the same. */
  readonly sha256: string;
  /** The characters (UTF-16) that were shown: from the first, and up to the last, which is left out. */
  readonly from: number;
  readonly to: number;
  /** The file that it is a line of, and the line; null for a text that stands in none. */
  readonly file: string | null;
  readonly line: number | null;
}

/** What an item names as its source, taken apart. */
export interface SourceParts {
  /** `model` where a model made the item: a rollout, or a model that was asked. `document` where it was made from a text. */
  readonly kind: "generator" | "file" | "document" | "model" | "other";
  /** The generator with its version, the file, who made it, or the source as it stands. */
  readonly name: string;
  /** The line of the file, or the number of its row; null elsewhere. */
  readonly line: number | null;
  /** What it was made from, by a model or not; null where that is no document. */
  readonly document: DocumentSpan | null;
}

/** How an item names a document as its source: `document:SHA256#FROM-TO`, and behind a space what the document stands in, if anything. */
export function documentSource({
  sha256,
  from,
  to,
  where,
}: Pick<DocumentSpan, "sha256" | "from" | "to"> & { readonly where: string }): string {
  return `document:${sha256}#${from}-${to}${where === "" ? "" : ` ${where}`}`;
}

const documentForm = /^(?:(model:.+) from )?document:([0-9a-f]{64})#(\d+)-(\d+)(?: (.+))?$/su;

/**
 * Reads `generator:reverse@1`, `data.jsonl:12`, `data.jsonl:12 id`, `rollout:…`, `model:…`, what {@link documentSource} writes and
 * `model:… from` such; anything else is `other`.
 */
export function readSource(source: string): SourceParts {
  return readDocument(source) ?? { ...readPlain(source), document: null };
}

function readDocument(source: string): SourceParts | undefined {
  const [, model, sha256, from, to, where] = documentForm.exec(source) ?? [];
  if (sha256 === undefined) return undefined;
  const at = where === undefined ? null : readPlain(where);
  const file = at?.kind === "file" ? at.name : null;
  const line = at?.line ?? null;
  const document = { sha256, from: Number(from), to: Number(to), file, line };
  const stands = at === null ? "texts that were given" : at.name;
  // Documents of one file are one source: which of them it was stands in `document`.
  if (model !== undefined)
    return { kind: "model", name: `${model} from documents of ${stands}`, line: null, document };
  return { kind: "document", name: stands, line, document };
}

function readPlain(source: string): Omit<SourceParts, "document"> {
  const [, maker, name = ""] = /^(generator|rollout|model):(.+)$/su.exec(source) ?? [];
  if (maker === "generator") return { kind: "generator", name, line: null };
  if (maker !== undefined) return { kind: "model", name: source, line: null };
  const [, file, line] = /^(.+?):(\d+)(?: .*)?$/su.exec(source) ?? [];
  if (file !== undefined) return { kind: "file", name: file, line: Number(line) };
  return { kind: "other", name: source, line: null };
}
