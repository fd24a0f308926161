import type { Clock } from "../../../foundation/base/index.ts";
import { userError } from "../../../foundation/base/index.ts";
import type {
  Engine,
  EngineCapabilities,
  LoadOptions,
  Precision,
} from "../../../foundation/contract/index.ts";
import type { BaseModel } from "./base-model.ts";
import type { Catalogue } from "./catalogue.ts";
import { Futures } from "./futures.ts";
import type { SamplingSession } from "./sampling-session.ts";
import { type Session, Sessions } from "./sessions.ts";
import { SharedSamplers } from "./shared-samplers.ts";
import { AttendedTime } from "./steady-clock.ts";
import type { TrainedModel } from "./trained-model.ts";

/** Milliseconds. */
export interface ServerTimes {
  /** How long a client may be silent before what it holds is freed. */
  readonly silence: number;
  /** How long one poll for a result is held. */
  readonly poll: number;
  /** How long a call waits for one with an earlier number. */
  readonly gap: number;
  /** How long a result that was read is kept. */
  readonly keep: number;
  /** Between two looks at all of these. */
  readonly sweep: number;
}

export interface StateOptions {
  readonly engine: Engine;
  readonly capabilities: EngineCapabilities;
  readonly bases: ReadonlyMap<string, BaseModel>;
  readonly precision: Precision;
  readonly catalogue: Catalogue;
  readonly clock: Clock;
  readonly times: ServerTimes;
  /** Whether clients run on this machine and see its files. */
  readonly sameMachine: boolean;
  /** Is told what no operation should have thrown. */
  readonly onFault: (error: unknown) => void;
}

/** All that a server holds. */
export class ServerState {
  readonly engine: Engine;
  readonly capabilities: EngineCapabilities;
  readonly bases: ReadonlyMap<string, BaseModel>;
  readonly catalogue: Catalogue;
  readonly clock: Clock;
  readonly times: ServerTimes;
  readonly sameMachine: boolean;
  readonly precision: Precision;
  readonly attended: AttendedTime;
  readonly sessions: Sessions;
  readonly futures: Futures;
  readonly models = new Map<string, TrainedModel>();
  readonly samplers = new Map<string, SamplingSession>();
  readonly shared = new SharedSamplers();

  constructor({
    engine,
    capabilities,
    bases,
    precision,
    catalogue,
    clock,
    times,
    sameMachine,
    onFault,
  }: StateOptions) {
    this.engine = engine;
    this.capabilities = capabilities;
    this.bases = bases;
    this.precision = precision;
    this.catalogue = catalogue;
    this.clock = clock;
    this.times = times;
    this.sameMachine = sameMachine;
    this.attended = new AttendedTime(clock, 3 * times.sweep);
    this.sessions = new Sessions(this.attended);
    this.futures = new Futures({ clock, keepMs: times.keep, onFault });
  }

  /** How everything is loaded that is loaded. */
  async loading(base: BaseModel | undefined): Promise<Pick<LoadOptions, "precision" | "tokenBytes">> {
    const tokenBytes = await base?.tokenBytes();
    return { precision: this.precision, ...(tokenBytes === undefined ? {} : { tokenBytes }) };
  }

  /** Frees what nobody is there for any more. */
  async sweep(): Promise<void> {
    this.attended.look();
    for (const { queue } of this.models.values()) queue.giveUpGaps();
    this.futures.sweep();
    const silent = this.sessions.takeSilent(this.times.silence);
    // One may have a model that is still being loaded.
    await Promise.all(silent.map((session) => this.#end(session)));
    await this.catalogue.sweep();
  }

  /** Frees what a client held that says it is done. */
  async finish(sessionId: string): Promise<void> {
    const session = this.sessions.take(sessionId, `The session ${sessionId} was finished by its client.`);
    if (session !== undefined) await this.#end(session);
  }

  async #end({ id, modelIds, samplerIds, gone }: Session): Promise<void> {
    const reason = this.sessions.ended(id);
    gone.abort(reason);
    for (const sampler of samplerIds) {
      this.samplers.get(sampler)?.release();
      this.samplers.delete(sampler);
    }
    await Promise.all([...modelIds].map((model) => this.unload(model, reason)));
    this.futures.forget(id);
  }

  /** Gives a model back to the engine. Calls that wait are refused for that reason. */
  async unload(id: string, reason: unknown): Promise<void> {
    const model = this.models.get(id);
    this.models.delete(id);
    await model?.close(reason);
  }

  async close(): Promise<void> {
    const reason = userError("server-closed", "The server is being closed.");
    for (const { gone } of this.sessions.all()) gone.abort(reason);
    for (const sampler of this.samplers.values()) sampler.release();
    this.samplers.clear();
    this.shared.retireAll();
    await Promise.all([...this.models.keys()].map((model) => this.unload(model, reason)));
  }
}
