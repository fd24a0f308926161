import { type Clock, isWhetstoneError } from "../../../foundation/base/index.ts";
import { failure, type Reply } from "./reply.ts";

interface Future {
  readonly owner: string;
  /** Of the request, so that a retry is told from another request under the same number. */
  readonly fingerprint: string;
  readonly done: Promise<Reply>;
  reply?: Reply;
  readAt?: number;
}

export interface FuturesOptions {
  readonly clock: Clock;
  /** How long an answer that was read is kept, for whom the network lost it on the way. */
  readonly keepMs: number;
  /** How many bytes of such answers are kept longer than one who lost it needs to ask again; default 256 MB. */
  readonly keepBytes?: number;
  /** Is told what no work should have thrown: an error that nobody named. */
  readonly onFault: (error: unknown) => void;
}

const usualBytes = 2 ** 28;
/** The SDK gives a poll up after 45 seconds, and makes it again. */
const askedAgainMs = 60_000;

/** What was begun and is waited for, by its request id. */
export class Futures {
  readonly #options: FuturesOptions;
  readonly #all = new Map<string, Future>();

  constructor(options: FuturesOptions) {
    this.#options = options;
  }

  /** Begins work whose outcome, also an error, is kept until it was read, or its owner goes. */
  begin(id: string, owner: string, fingerprint: string, work: () => Promise<Reply>): void {
    const done = work().catch((error: unknown) => {
      if (!isWhetstoneError(error)) this.#options.onFault(error);
      return failure(error);
    });
    const future: Future = { owner, fingerprint, done };
    this.#all.set(id, future);
    void done.then((reply) => {
      future.reply = reply;
    });
  }

  fingerprint(id: string): string | undefined {
    return this.#all.get(id)?.fingerprint;
  }

  /** The answer, or "pending" where there is none within that time; undefined where nothing is known under this id. */
  async wait(id: string, waitMs: number, signal: AbortSignal): Promise<Reply | "pending" | undefined> {
    const future = this.#all.get(id);
    if (future === undefined) return undefined;
    const reply = future.reply ?? (await within(future.done, waitMs, signal));
    if (reply !== "pending") future.readAt ??= this.#options.clock.monotonic();
    return reply;
  }

  /** Lets go of what was read long ago; and of what was begun first where all that was read takes too much room. */
  sweep(): void {
    const { clock, keepMs, keepBytes = usualBytes } = this.#options;
    const now = clock.monotonic();
    let bytes = 0;
    for (const [id, { readAt, reply }] of [...this.#all].reverse()) {
      if (readAt === undefined || reply === undefined) continue;
      bytes += reply.body.length;
      if (readAt < now - keepMs || (bytes > keepBytes && readAt < now - askedAgainMs)) this.#all.delete(id);
    }
  }

  forget(owner: string): void {
    for (const [id, future] of this.#all) if (future.owner === owner) this.#all.delete(id);
  }
}

/** What comes of it; "pending" where nothing has in that time (milliseconds), or before the client went. */
export function within<T>(done: Promise<T>, waitMs: number, signal: AbortSignal): Promise<T | "pending"> {
  return new Promise((resolve, reject) => {
    const giveUp = (): void => resolve("pending");
    const timer = setTimeout(giveUp, waitMs);
    signal.addEventListener("abort", giveUp, { once: true });
    const letGo = (): void => {
      clearTimeout(timer);
      signal.removeEventListener("abort", giveUp);
    };
    done.finally(letGo).then(resolve, reject);
  });
}
