import { z } from "zod";
import { readOptions, sha256OfFiles } from "../../../foundation/base/index.ts";
import type { Split, Task, Verifier } from "../../../foundation/contract/index.ts";
import { checkChoice } from "./check-choice.ts";
import { chooseVerifier, type VerifierChoice, verifierOf } from "./choose-verifier.ts";
import { datasetTask } from "./dataset-task.ts";
import { openFile } from "./formats.ts";
import { kindsOf, splitTotals } from "./kinds.ts";
import { type KnownRow, readRows } from "./read-rows.ts";
import { withoutUnusable } from "./unusable.ts";
import { checkAnswers, checkRows, checkSplits } from "./whole-file.ts";
import { wrongRows } from "./wrong-rows.ts";

const column = z.string().min(1);

const optionsSchema = z.strictObject({
  /**
   * A `.jsonl`, `.json`, `.csv`, `.tsv` or `.parquet` file; all but the last may end in `.gz` too. A relative path begins at the
   * working directory; `new URL("./my.jsonl", import.meta.url)` begins at the config.
   */
  file: z.union([z.string().min(1), z.instanceof(URL, { message: "expected a path or a URL of a file" })]),
  /** Keys the splits, so keep it when the file grows; the file's name without its ending if left out. */
  name: z.string().min(1).max(80).optional(),
  /** Left out, what the answers ask for: numeric, multiple choice, or exact. */
  verifier: z
    .custom<Verifier>((value) => typeof value === "object" && value !== null && "verify" in value, {
      message: "expected a verifier, such as exact()",
    })
    .optional(),
  /** Token limit of a response, its end included; room for the longest answer of the file if left out. */
  maxTokens: z.number().int().min(1).optional(),
  /** The file's own names of the columns. */
  columns: z
    .strictObject({
      prompt: column.default("prompt"),
      answer: column.default("answer"),
      completion: column.default("completion"),
      messages: column.default("messages"),
      kind: column.default("kind"),
      id: column.default("id"),
    })
    .prefault({}),
  /** Goes on without the rows that are wrong. */
  skipInvalid: z.boolean().default(false),
  /** Allows a file whose answers are all the same. */
  oneAnswer: z.boolean().default(false),
});
/** `{ file, name, verifier, maxTokens, columns, skipInvalid, oneAnswer }`. */
export type DatasetOptions = Readonly<z.input<typeof optionsSchema>>;

/** A file as a task, and what was found in it. */
export interface ReadDataset {
  readonly task: Task;
  readonly rows: number;
  /** Rows that were wrong and left out. */
  readonly skipped: number;
  readonly splits: Readonly<Record<Split, number>>;
  /** Null where the verifier was given. */
  readonly choice: VerifierChoice | null;
}

/** Rises when rows are read, or told apart, in another way; never with the file's content, which keeps its splits as it grows. */
export const version = 1;

/**
 * The rows of a file as a task. A row has `prompt` and `answer`, or `prompt` and `completion` (with an `answer` beside it,
 * the completion shows how to come to it), or `messages`, the last of which, by the assistant, is the answer; a prompt may
 * be a list of messages. A column `kind` parts the rows into kinds that are measured one by one.
 *
 * Rows are split for good by their prompt and the task's name: half to train on, a tenth to steer by, a quarter for the
 * gate, the rest for the audit. Two prompts are one item when they differ in white space only.
 *
 * Throws user errors: `dataset-missing`, `dataset-format`, `dataset-empty`, `dataset-unreadable` of the whole file;
 * `dataset-invalid`, once for all rows that are wrong, with file, line and reason; `dataset-one-answer`,
 * `dataset-too-small`, `dataset-kinds`, `dataset-verifier` where no verifier is given and none of the usual ones finds the
 * answers in the completions, and `invalid-option`.
 *
 * @example
 * const file = join(await mkdtemp(join(tmpdir(), "sums-")), "sums.jsonl");
 * const sums = Array.from({ length: 100 }, (_, n) => JSON.stringify({ prompt: `${n} + ${n} =`, answer: 2 * n }));
 * await writeFile(file, sums.join("\n"));
 * defineRun({ task: await dataset({ file }), model: "smollm2-135m", precision: "mixed", budget: { rounds: 3 } });
 */
export async function dataset(options: DatasetOptions): Promise<Task> {
  return (await readDataset(options)).task;
}

/** As {@link dataset}, and says what was found. */
export async function readDataset(options: DatasetOptions): Promise<ReadDataset> {
  const read = readOptions("dataset()", optionsSchema, options);
  const file = openFile(read.file);
  const { name = file.stem, columns, skipInvalid, oneAnswer } = read;
  const found = await readRows(file, columns);
  const { verifier, choice } = verifierFor(read.verifier, found.rows);
  // One that was chosen reads every answer.
  const content = choice === null ? withoutUnusable(found, verifier) : found;
  const skipped = content.total - content.rows.length;
  if (skipped > 0 && (!skipInvalid || content.rows.length === 0)) throw wrongRows(file, content);
  const { rows } = content;
  checkRows(file, rows);
  if (!oneAnswer) checkAnswers(file, rows);
  const kinds = kindsOf({ name, version, fileName: file.name, column: columns.kind, rows });
  const splits = splitTotals(kinds);
  checkSplits(file, splits);
  const sha256 = await sha256OfFiles([file.path]);
  const maxTokens = read.maxTokens ?? roomFor(rows);
  const task = datasetTask({ name, version, rows, kinds, verifier, maxTokens, path: file.path, sha256 });
  if (choice !== null) await checkChoice(task, file.name);
  return { task, rows: rows.length, skipped, splits, choice };
}

function verifierFor(given: Verifier | undefined, rows: readonly KnownRow[]) {
  if (given !== undefined) return { verifier: given, choice: null };
  const choice = chooseVerifier(rows);
  return { verifier: verifierOf(choice), choice };
}

/** A model that was not trained on the file speaks in sentences first: where these are cut off, its length alone is measured. */
const leastRoom = 64;

/** Room for the longest response: a tokenizer needs one token a byte at most, and one more ends it. */
function roomFor(rows: readonly KnownRow[]): number {
  let longest = 0;
  for (const { answer, completion = answer } of rows)
    longest = Math.max(longest, Buffer.byteLength(answer), Buffer.byteLength(completion));
  return Math.max(leastRoom, longest + Math.max(8, Math.ceil(longest / 10)));
}
