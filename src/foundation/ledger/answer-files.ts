import {
  closeSync,
  existsSync,
  fsyncSync,
  linkSync,
  mkdirSync,
  openSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  writeSync,
} from "node:fs";
import { join } from "node:path";
import { messageOf, userError } from "../base/index.ts";
import { answerSchema, type OversightAnswer } from "../contract/index.ts";
import { naming } from "./faults.ts";

const ending = ".json";

/**
 * Answers to a run's questions on their way into its ledger: only whoever owns the folder writes there, and a person answers from
 * any terminal. One file an answer, whole or not there, and never replaced.
 */
export class AnswerFiles {
  readonly #folder: string;

  /** `folder` is the project folder's `.whetstone`. */
  constructor(folder: string) {
    this.#folder = join(folder, "answers");
  }

  /** Leaves an answer; false where one lies there already, which then stays. Throws `no-space`, `folder-unwritable` or `disk-fault`. */
  leave(answer: OversightAnswer): boolean {
    const path = this.#pathOf(answer.question);
    const temporary = `${path}.${process.pid}.writing`;
    return naming(this.#folder, () => {
      mkdirSync(this.#folder, { recursive: true });
      try {
        const file = openSync(temporary, "w");
        try {
          writeSync(file, JSON.stringify(answer));
          fsyncSync(file);
        } finally {
          closeSync(file);
        }
        return placed(temporary, path);
      } finally {
        rmSync(temporary, { force: true });
      }
    });
  }

  /** The answer to a question that nobody has taken in yet. Throws a user error `answer-damaged` for a file that holds none. */
  find(question: string): OversightAnswer | undefined {
    const path = this.#pathOf(question);
    if (!existsSync(path)) return undefined;
    try {
      const answer = answerSchema.parse(JSON.parse(readFileSync(path, "utf8")));
      if (answer.question === question) return answer;
      throw new Error(`it answers ${answer.question}`);
    } catch (error) {
      throw userError(
        "answer-damaged",
        `${path} holds no answer that can be read (${messageOf(error)}): remove it, and answer again with \`whetstone approve\` or \`whetstone reject\`.`,
        { path },
      );
    }
  }

  /** Questions whose answers lie here. */
  left(): string[] {
    if (!existsSync(this.#folder)) return [];
    return naming(this.#folder, () => readdirSync(this.#folder))
      .filter((name) => name.endsWith(ending))
      .map((name) => name.slice(0, -ending.length))
      .sort();
  }

  /** Once it is in the ledger. */
  remove(question: string): void {
    naming(this.#folder, () => rmSync(this.#pathOf(question), { force: true }));
  }

  #pathOf(question: string): string {
    return join(this.#folder, question + ending);
  }
}

/** Gives a file its name unless another has it. A link cannot replace; where a disk knows none, a rename has to do. */
function placed(temporary: string, path: string): boolean {
  try {
    linkSync(temporary, path);
    return true;
  } catch {
    if (existsSync(path)) return false;
    renameSync(temporary, path);
    return true;
  }
}
