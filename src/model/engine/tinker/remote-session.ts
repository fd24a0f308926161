import type { Clock } from "../../../foundation/base/index.ts";
import { engineError } from "../engine-error.ts";
import type { Tally } from "../tally.ts";
import { type Connection, textIn } from "./connection.ts";

const beatMs = 10_000;

/** What the models and samplers of one engine have in common: a session of the server, kept alive. */
export class RemoteSession {
  readonly connection: Connection;
  readonly id: string;
  /** The server's name for the model. */
  readonly modelName: string;
  readonly tally: Tally & { tokensRead: number } = {
    tokensSampled: 0,
    tokensTrained: 0,
    optimizerSteps: 0,
    tokensRead: 0,
  };
  readonly #clock: Clock;
  readonly #beating: NodeJS.Timeout;
  #models = 0;
  #samplers = 0;
  #inFlight = 0;
  #busySince = 0;
  #busyMs = 0;
  #closed = false;

  constructor(connection: Connection, id: string, modelName: string, clock: Clock) {
    this.connection = connection;
    this.id = id;
    this.modelName = modelName;
    this.#clock = clock;
    const beat = (): void => {
      connection.post("session_heartbeat", { session_id: id }).catch(() => undefined);
    };
    this.#beating = setInterval(beat, beatMs).unref();
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

  /** Wall seconds during which something was asked of the server. */
  get busySeconds(): number {
    const since = this.#inFlight > 0 ? this.#clock.monotonic() - this.#busySince : 0;
    return (this.#busyMs + since) / 1000;
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
    await this.connection.tell(`sessions/${encodeURIComponent(this.id)}/finish`, {}).catch(() => undefined);
    this.connection.close();
  }
}
