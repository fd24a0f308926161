import type { WhetstoneError } from "../../../../foundation/base/index.ts";
import type { Verdict } from "../../../../foundation/contract/index.ts";
import { CommandProcess } from "./command-process.ts";
import { asciiJson, times, verifierFailed, voidFor } from "./messages.ts";
import { type Program, whyNotStartable } from "./program.ts";
import { readReply, shortened } from "./reply.ts";
import { emptySlot, forget, type Pending, type Slot } from "./slot.ts";

export interface QueueOptions {
  readonly program: () => Program;
  readonly workers: number;
  /** Requests that one process has before it answers. */
  readonly window: number;
  readonly timeoutMs: number;
  /** For the first answer of a process, which may have much to import. */
  readonly startTimeoutMs: number;
  /** Starts in a row without an answer between them that are endured. */
  readonly restarts: number;
}

/**
 * Requests to one or several processes of a command. A request's time runs while it is the oldest that its process has. One that
 * takes too long, or that ends a new process by itself, is void; requests that a process had among others when it ended are asked
 * again one by one, so that only the one that ends processes is void.
 */
export class RequestQueue {
  readonly #options: QueueOptions;
  readonly #slots: Slot[];
  /** Those that were started and have not ended, whether they are still asked or not. */
  readonly #living = new Set<CommandProcess>();
  #waiting: Pending[] = [];
  #suspects: Pending[] = [];
  #lastId = 0;
  #failuresInARow = 0;
  #everAnswered = false;
  #failure: WhetstoneError | undefined;

  constructor(options: QueueOptions) {
    this.#options = options;
    this.#slots = Array.from({ length: options.workers }, emptySlot);
  }

  /** Asks; rejects with `verifier-failed` once the command has shown that it does not work. */
  ask(request: object): Promise<Verdict> {
    if (this.#failure !== undefined) return Promise.reject(this.#failure);
    this.#lastId += 1;
    const { promise, resolve, reject } = Promise.withResolvers<Verdict>();
    const line = asciiJson({ id: this.#lastId, ...request });
    this.#waiting.push({ id: this.#lastId, line, deaths: 0, resolve, reject });
    this.#pump();
    return promise;
  }

  /** Ends the processes; what waits for an answer is void. The next request starts anew. */
  async close(): Promise<void> {
    const pending = this.#takeAll();
    for (const slot of this.#slots) forget(slot);
    this.#failure = undefined;
    this.#failuresInARow = 0;
    this.#everAnswered = false;
    for (const { resolve } of pending) resolve({ outcome: "void", reason: "the verifier was closed" });
    await Promise.all([...this.#living].map((process) => process.close()));
  }

  #pump(): void {
    while (this.#failure === undefined && this.#suspects.length + this.#waiting.length > 0) {
      const alone = this.#suspects.length > 0;
      const slot = this.#slots
        .filter((one) => !one.alone && one.inFlight.size < (alone ? 1 : this.#options.window))
        .sort(
          (a, b) =>
            a.inFlight.size - b.inFlight.size ||
            Number(alone && a.process !== undefined) - Number(alone && b.process !== undefined),
        )[0];
      const next = slot && (this.#suspects.shift() ?? this.#waiting.shift());
      if (slot === undefined || next === undefined) return;
      slot.alone = alone;
      this.#send(slot, next);
    }
  }

  #send(slot: Slot, pending: Pending): void {
    slot.inFlight.set(pending.id, pending);
    slot.process ??= this.#start(slot);
    slot.process?.hold(true);
    slot.process?.write(pending.line);
    this.#time(slot);
  }

  #start(slot: Slot): CommandProcess | undefined {
    const program = this.#options.program();
    const why = whyNotStartable(program);
    if (why !== undefined) {
      this.#fail(`cannot be started: ${why}`, []);
      return undefined;
    }
    slot.answered = false;
    const process: CommandProcess = new CommandProcess({
      ...program,
      onLine: (line) => {
        if (slot.process === process) this.#receive(slot, process, line);
      },
      onEnd: (how) => {
        if (slot.process === process) this.#ended(slot, process, how);
      },
    });
    this.#living.add(process);
    void process.exited.then(() => this.#living.delete(process));
    return process;
  }

  #receive(slot: Slot, process: CommandProcess, line: string): void {
    const reply = readReply(line);
    const pending = reply && slot.inFlight.get(reply.id);
    if (reply === undefined || pending === undefined) {
      process.end(
        `wrote ${JSON.stringify(shortened(line))} to its standard output, which is no reply to a request (what is not a reply goes to standard error)`,
      );
      return;
    }
    slot.inFlight.delete(reply.id);
    slot.answered = true;
    this.#everAnswered = true;
    this.#failuresInARow = 0;
    if (slot.inFlight.size === 0) {
      slot.alone = false;
      process.hold(false);
    }
    this.#time(slot);
    pending.resolve(reply.verdict);
    this.#pump();
  }

  /** Sets the time of the oldest request, if it is not running yet. */
  #time(slot: Slot): void {
    const [oldest] = slot.inFlight.keys();
    if (oldest === slot.timed) return;
    clearTimeout(slot.timer);
    slot.timed = oldest;
    if (oldest === undefined) return;
    const { timeoutMs, startTimeoutMs } = this.#options;
    const limit = slot.answered ? timeoutMs : Math.max(timeoutMs, startTimeoutMs);
    slot.timer = setTimeout(() => this.#tooSlow(slot, limit), limit);
  }

  #tooSlow(slot: Slot, limit: number): void {
    const { process } = slot;
    const [culprit, ...others] = slot.inFlight.values();
    if (process === undefined || culprit === undefined) return;
    const how = `gave no answer within ${limit / 1000} s`;
    if (!this.#everAnswered) {
      this.#fail(
        `${how} of its first request (does it write one line for each, and flush it?)`,
        process.lastLines,
      );
      return;
    }
    forget(slot);
    process.end(how);
    this.#waiting.unshift(...others);
    this.#countFailure(how, process, culprit);
  }

  #ended(slot: Slot, process: CommandProcess, how: string): void {
    const pending = [...slot.inFlight.values()];
    const fresh = !slot.answered;
    forget(slot);
    const [first] = pending;
    if (first === undefined) return;
    if (pending.length === 1) first.deaths += 1;
    // One that had answered before may have been about to end anyway, as scripts that answer once and end are.
    const blamed = pending.length === 1 && (fresh || first.deaths > 2);
    if (!blamed) {
      this.#suspects.unshift(...pending);
      this.#pump();
    } else if (this.#everAnswered) this.#countFailure(how, process, first);
    else {
      this.#waiting.unshift(first);
      this.#countFailure(how, process);
    }
  }

  /** Goes on without the request that is to blame, unless this was one failure too many: then nobody knows what is to blame. */
  #countFailure(how: string, process: CommandProcess, culprit?: Pending): void {
    this.#failuresInARow += 1;
    const tooMany = this.#failuresInARow > this.#options.restarts;
    if (!tooMany) culprit?.resolve(voidFor(how, process));
    else if (culprit !== undefined) this.#waiting.unshift(culprit);
    if (tooMany)
      this.#fail(
        `${how}, ${times(this.#failuresInARow)} in a row without an answer between`,
        process.lastLines,
      );
    else this.#pump();
  }

  /** Every request, now and later, is told why. */
  #fail(how: string, lastLines: readonly string[]): void {
    this.#failure = verifierFailed(this.#options.program(), how, lastLines);
    for (const { reject } of this.#takeAll()) reject(this.#failure);
    for (const slot of this.#slots) {
      const { process } = slot;
      forget(slot);
      process?.end("is not needed any more");
    }
  }

  #takeAll(): Pending[] {
    const all = [
      ...this.#slots.flatMap(({ inFlight }) => [...inFlight.values()]),
      ...this.#suspects,
      ...this.#waiting,
    ];
    this.#suspects = [];
    this.#waiting = [];
    return all;
  }
}
