import { type Clock, isWhetstoneError, type WhetstoneError } from "../../../foundation/base/index.ts";
import { engineError } from "../engine-error.ts";
import type { Tally } from "../tally.ts";
import { type Connection, textIn } from "./connection.ts";
import { checkpointOf } from "./paths.ts";
import { isForgotten, sessionLost } from "./session-loss.ts";

const beatMs = 10_000;

export interface SessionOptions {
  readonly connection: Connection;
  readonly baseUrl: string;
  /** The server's name for the model. */
  readonly modelName: string;
  readonly clock: Clock;
  /** The one that was lost, whose cost goes on. */
  readonly before?: RemoteSession | undefined;
  /** What is saved in it goes when it is closed. */
  readonly forgets?: boolean;
}

/** What the models and samplers of one engine have in common: a session of the server, kept alive. */
export class RemoteSession {
  readonly connection: Connection;
  readonly id: string;
  /** The server's name for the model. */
  readonly modelName: string;
  /** Of this session and those before it. */
  readonly tally: Tally & { tokensRead: number };
  readonly #clock: Clock;
  readonly #baseUrl: string;
  /** Whether the server knows of heartbeats, and so tells by one that it has forgotten the session. */
  #beats = false;
  #lost = false;
  readonly #beating: NodeJS.Timeout;
  #models = 0;
  #samplers = 0;
  #inFlight = 0;
  #busySince = 0;
  #busyMs = 0;
  #closed = false;
  /** Paths that go when it is closed; undefined where all stay. */
  readonly #saved: string[] | undefined;

  private constructor(
    { connection, baseUrl, modelName, clock, before, forgets = false }: SessionOptions,
    id: string,
  ) {
    this.connection = connection;
    this.id = id;
    this.modelName = modelName;
    this.#clock = clock;
    this.#baseUrl = baseUrl;
    this.#saved = forgets ? [] : undefined;
    this.tally = before?.tally ?? { tokensSampled: 0, tokensTrained: 0, optimizerSteps: 0, tokensRead: 0 };
    this.#busyMs = (before?.busySeconds ?? 0) * 1000;
    this.#beating = setInterval(() => void this.#beat().catch(() => undefined), beatMs).unref();
  }

  static async open(options: SessionOptions): Promise<RemoteSession> {
    const body = { tags: [], user_metadata: null, sdk_version: "0.38.0", type: "create_session" };
    const id = textIn(await options.connection.post("create_session", body), "session_id");
    const session = new RemoteSession(options, id);
    options.connection.waitForReturn();
    session.#beats = await session.#beat().then(
      () => true,
      () => false,
    );
    return session;
  }

  #beat(): Promise<unknown> {
    return this.connection.post("session_heartbeat", { session_id: this.id });
  }

  /** The server holds nothing of it any more: another one is to be opened. */
  get lost(): boolean {
    return this.#lost;
  }

  nextModel(): number {
    return this.#models++;
  }

  nextSampler(): number {
    return this.#samplers++;
  }

  /** Weights of a name or a path, to sample from; the server's id for them. */
  async sampler(of: { readonly base_model: string } | { readonly model_path: string }): Promise<string> {
    const body = { session_id: this.id, sampling_session_seq_id: this.nextSampler(), ...of };
    return textIn(await this.connection.post("create_sampling_session", body), "sampling_session_id");
  }

  /** A checkpoint is at that path now. */
  hasSaved(path: string): void {
    this.#saved?.push(path);
  }

  /** Gives a sampler of one of our servers back. */
  async release(samplerId: string): Promise<void> {
    if (this.#lost) return;
    const body = { sampling_session_id: samplerId };
    await this.connection.post("whetstone/release_sampler", body, { patient: false });
  }

  /** Wall seconds during which something was asked of the server. */
  get busySeconds(): number {
    const since = this.#inFlight > 0 ? this.#clock.monotonic() - this.#busySince : 0;
    return (this.#busyMs + since) / 1000;
  }

  /** As {@link busy}, of what is asked of a model or a sampler. Throws `session-lost` where the server does not hold it any more. */
  onHeld<T>(work: () => Promise<T>): Promise<T> {
    return this.busy(work).catch((error: unknown) => {
      throw isForgotten(error) ? this.#loss(error) : error;
    });
  }

  /** As {@link busy}, of what makes a model or a sampler. Throws `session-lost` where there is no session any more to make it in. */
  making<T>(work: () => Promise<T>): Promise<T> {
    return this.busy(work).catch(async (error: unknown) => {
      if (!this.#beats || !isWhetstoneError(error) || error.details.status === undefined) throw error;
      const forgotten = await this.#beat().then(() => false, isForgotten);
      throw forgotten ? this.#loss(error) : error;
    });
  }

  #loss(cause: unknown): WhetstoneError {
    this.#lost = true;
    clearInterval(this.#beating);
    return sessionLost(this.#baseUrl, cause);
  }

  /** Throws `engine-closed`. */
  async busy<T>(work: () => Promise<T>): Promise<T> {
    if (this.#closed) throw engineError("engine-closed", "The engine is closed; open a new one.");
    if (this.#inFlight === 0) this.#busySince = this.#clock.monotonic();
    this.#inFlight += 1;
    try {
      return await work();
    } finally {
      this.#inFlight -= 1;
      if (this.#inFlight === 0) this.#busyMs += this.#clock.monotonic() - this.#busySince;
    }
  }

  /** Tells the server that its models and samplers may go; one that does not hear it frees them later, by itself. */
  async close(): Promise<void> {
    if (this.#closed) return;
    this.#closed = true;
    clearInterval(this.#beating);
    for (const path of this.#saved ?? [])
      await this.connection.remove(checkpointOf(path)).catch(() => undefined);
    await this.connection.tell(`sessions/${encodeURIComponent(this.id)}/finish`, {}).catch(() => undefined);
    this.connection.close();
  }
}
