import { WhetstoneError } from "../../../foundation/base/index.ts";

/** Silences in a row that are endured, as of a command: nobody knows then which request is to blame. */
const mostSilences = 3;
/** A silence is so many quiet looks: a program that computes for a while, and hears nothing meanwhile, has missed only one. */
const looks = 4;

interface Waiting {
  readonly reject: (error: Error) => void;
}

/**
 * The end of waiting for a function that may never answer. Time runs while something is waited for and nothing is answered,
 * so that a queue behind the function may be long; then the oldest request is given up.
 */
export class Patience {
  readonly #name: string;
  readonly #timeoutMs: number;
  /** Oldest first. */
  readonly #waiting = new Set<Waiting>();
  #timer: NodeJS.Timeout | undefined;
  #quietLooks = 0;
  #silences = 0;
  #everAnswered = false;
  #failure: WhetstoneError | undefined;

  constructor(name: string, timeoutMs: number) {
    this.#name = name;
    this.#timeoutMs = timeoutMs;
  }

  /** What it comes to, or an error that says how long was waited; `verifier-failed` once it has shown that it does not work. */
  waitFor<T>(answer: PromiseLike<T>): Promise<T> {
    if (this.#failure !== undefined) return Promise.reject(this.#failure);
    const { promise, resolve, reject } = Promise.withResolvers<T>();
    const waiting: Waiting = { reject };
    this.#waiting.add(waiting);
    this.#timer ??= setInterval(() => this.#look(), Math.ceil(this.#timeoutMs / looks));
    const answered = (): void => {
      if (!this.#waiting.delete(waiting)) return;
      this.#everAnswered = true;
      this.#silences = 0;
      this.#quietLooks = 0;
      this.#rest();
    };
    answer.then(
      (value) => {
        answered();
        resolve(value);
      },
      (error) => {
        answered();
        reject(error);
      },
    );
    return promise;
  }

  /** Gives up what is waited for, and forgets what was. */
  close(): void {
    this.#failure = undefined;
    this.#everAnswered = false;
    this.#silences = 0;
    this.#rejectAll(new Error("the verifier was closed"));
  }

  #look(): void {
    this.#quietLooks += 1;
    if (this.#quietLooks < looks) return;
    this.#quietLooks = 0;
    this.#silences += 1;
    const how = `gave no answer within ${this.#timeoutMs / 1000} s`;
    if (!this.#everAnswered || this.#silences > mostSilences) {
      const times = this.#everAnswered ? `, ${this.#silences} times in a row` : ", not once";
      this.#failure = new WhetstoneError({
        code: "verifier-failed",
        category: "environment",
        message: `The verifier "${this.#name}" ${how}${times}: look at what its function waits for, or raise timeoutMs.`,
        details: { verifier: this.#name, timeoutMs: this.#timeoutMs },
      });
      this.#rejectAll(this.#failure);
      return;
    }
    const [oldest] = this.#waiting;
    if (oldest === undefined) return;
    this.#waiting.delete(oldest);
    oldest.reject(new Error(how));
    this.#rest();
  }

  #rejectAll(error: Error): void {
    for (const { reject } of this.#waiting) reject(error);
    this.#waiting.clear();
    this.#rest();
  }

  #rest(): void {
    if (this.#waiting.size > 0) return;
    clearInterval(this.#timer);
    this.#timer = undefined;
    this.#quietLooks = 0;
  }
}
