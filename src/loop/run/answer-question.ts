import { userInfo } from "node:os";
import { z } from "zod";
import {
  type Clock,
  isWhetstoneError,
  nearest,
  readOptions,
  systemClock,
  userError,
  valueWith,
} from "../../foundation/base/index.ts";
import type { OversightAnswer } from "../../foundation/contract/index.ts";
import {
  AnswerFiles,
  type LedgerReader,
  ledgerFolder,
  openLedger,
  readLedger,
} from "../../foundation/ledger/index.ts";
import { isOpen, type Question, questionsOf } from "../oversight/index.ts";
import { projectFolder } from "./arguments.ts";
import { noRun } from "./find-run.ts";
import { takeAnswers } from "./take-answers.ts";

export interface AnswerOptions {
  /** The project folder; the current folder if left out. */
  readonly folder?: string;
  /** The question's name, as `whetstone status` shows it: `1-promotion-3`. */
  readonly question: string;
  readonly answer: OversightAnswer["answer"];
  /** For those who read the report. */
  readonly why?: string;
  readonly clock?: Clock;
}

const optionsSchema = z.strictObject({
  folder: projectFolder,
  question: z.string().min(1),
  answer: z.enum(["approve", "reject"]),
  why: z.string().default(""),
  clock: valueWith<Clock>("monotonic", "expected a clock").optional(),
});

export interface Answered extends Question {
  /** The run that asked. */
  readonly run: string;
  /** A process runs in the folder and takes the answer in; where nobody does, it is in the ledger already. */
  readonly running: boolean;
}

const foldersSchema = z.strictObject({ folder: projectFolder });

/**
 * Questions of a folder's runs that wait for a person, the oldest first. Takes no lock.
 *
 * @example
 * openQuestions({ folder: "." }).map(({ id, text }) => `${id}: ${text}`);
 */
export function openQuestions(options: { readonly folder?: string } = {}): Question[] {
  const { folder } = readOptions("openQuestions()", foldersSchema, options);
  using ledger = readLedger({ folder });
  return ledger === undefined ? [] : waiting(ledger, folder).map(({ question }) => question);
}

/**
 * Answers a question of a run, beside a process that waits for it or for the next that will go on. An answer is for good: it is
 * recorded with who gave it, and why. Throws user errors `no-run`, `no-question` and `question-answered`.
 *
 * @example
 * const folder = await mkdtemp(join(tmpdir(), "run-"));
 * const answered = answerQuestion({ folder, question: "1-promotion-3", answer: "reject", why: "it forgets dates" });
 * await answered.catch(({ code }) => console.log(code)); // "no-run": nobody has asked anything here
 */
export async function answerQuestion(options: AnswerOptions): Promise<Answered> {
  const read = readOptions("answerQuestion()", optionsSchema, options);
  const { folder, question: id, answer, why, clock = systemClock } = read;
  const { run, question, running } = find(folder, id);
  const given: OversightAnswer = { question: id, answer, why, by: whoAnswers() };
  const answers = new AnswerFiles(ledgerFolder(folder));
  if (!answers.leave(given)) throw answeredAlready(id);
  const taken = running ? false : takeIn(folder, clock);
  const at = clock.now();
  return { ...question, answer: { answer, why, by: given.by, at }, run, running: !taken };
}

/** Puts what was answered into the ledger; false where somebody has begun to run meanwhile, who will. */
function takeIn(folder: string, clock: Clock): boolean {
  try {
    using ledger = openLedger({ folder, clock });
    takeAnswers(ledger);
    return true;
  } catch (error) {
    if (isWhetstoneError(error) && error.code === "folder-in-use") return false;
    throw error;
  }
}

interface Waiting {
  readonly run: string;
  readonly question: Question;
}

function find(folder: string, id: string): Waiting & { readonly running: boolean } {
  using ledger = readLedger({ folder });
  const runs = ledger?.runs() ?? [];
  if (ledger === undefined || runs.length === 0) throw noRun();
  const open = waiting(ledger, folder);
  const found = open.find(({ question }) => question.id === id);
  if (found !== undefined) return { ...found, running: ledger.holder() !== undefined };
  const asked = runs.flatMap((run) => questionsOf(ledger.events(run.id)));
  const known = asked.find((question) => question.id === id);
  if (known === undefined) throw noQuestion(id, open);
  if (known.givenUp)
    throw noQuestion(id, open, " any more: the champion that it was compared with is the champion no longer");
  if (known.answer === null && !new AnswerFiles(ledgerFolder(folder)).find(id))
    throw noQuestion(id, open, " any more: an edited config has begun another run since");
  throw answeredAlready(id);
}

/** Questions of the runs that can still go on: of each name the last. */
function waiting(ledger: LedgerReader, folder: string): Waiting[] {
  const answers = new AnswerFiles(ledgerFolder(folder));
  const last = new Map(ledger.runs().map((run) => [run.name, run.id]));
  return [...last.values()]
    .flatMap((run) => questionsOf(ledger.events(run)).map((question) => ({ run, question })))
    .filter(({ question }) => isOpen(question) && answers.find(question.id) === undefined)
    .sort((a, b) => a.question.askedAt - b.question.askedAt);
}

/** As the machine knows them; it may know nobody, as in some containers. */
function whoAnswers(): string {
  try {
    return userInfo().username;
  } catch {
    return "";
  }
}

function answeredAlready(id: string) {
  return userError(
    "question-answered",
    `${id} is answered already, and an answer is for good: \`whetstone report\` shows it.`,
    { question: id },
  );
}

function noQuestion(id: string, open: readonly Waiting[], why = "") {
  const ids = open.map(({ question }) => question.id);
  const meant = nearest(id, ids);
  const hint =
    ids.length === 0
      ? "no question is open."
      : meant === undefined
        ? `those that wait are ${ids.join(", ")}.`
        : `did you mean ${meant}?`;
  return userError("no-question", `There is no question ${id} here${why}; ${hint}`, { question: id });
}
