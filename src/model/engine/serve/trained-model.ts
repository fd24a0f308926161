import { userError } from "../../../foundation/base/index.ts";
import type { EngineModel, ModelInfo } from "../../../foundation/contract/index.ts";
import type { BaseModel } from "./base-model.ts";
import { ModelSamplers } from "./model-samplers.ts";
import { OperationQueue, type OperationQueueOptions } from "./operation-queue.ts";

export interface TrainedModelOptions extends OperationQueueOptions {
  readonly id: string;
  readonly sessionId: string;
  readonly base: BaseModel;
  readonly userMetadata: Readonly<Record<string, unknown>> | null;
  readonly load: () => Promise<EngineModel>;
  /** Milliseconds since 1970. */
  readonly now: () => number;
}

/** One model that a client trains: its weights in the engine, and the order of the calls on it. */
export class TrainedModel {
  readonly id: string;
  readonly sessionId: string;
  readonly base: BaseModel;
  readonly userMetadata: TrainedModelOptions["userMetadata"];
  readonly queue: OperationQueue;
  readonly samplers = new ModelSamplers();
  readonly #now: () => number;
  #model: Promise<EngineModel>;
  #closed = false;
  #info: ModelInfo | undefined;
  step = 0;
  lastRequestAt: number;

  constructor({ id, sessionId, base, userMetadata, load, now, ...queue }: TrainedModelOptions) {
    this.id = id;
    this.sessionId = sessionId;
    this.base = base;
    this.userMetadata = userMetadata;
    this.queue = new OperationQueue(queue);
    this.#now = now;
    this.lastRequestAt = now();
    this.#model = this.#watch(load());
  }

  /** Loaded when it is given back already: it is given back then. */
  #watch(loading: Promise<EngineModel>): Promise<EngineModel> {
    const watched = loading.then(async (model) => {
      if (!this.#closed) {
        this.step = model.info.step;
        this.#info = model.info;
        return model;
      }
      await model[Symbol.asyncDispose]();
      throw userError("model-gone", `The model ${this.id} was given back.`);
    });
    watched.catch(() => undefined);
    return watched;
  }

  /** What it is, once it has been loaded. */
  get loaded(): ModelInfo | undefined {
    return this.#info;
  }

  /** Throws what kept it from being loaded. */
  async info(): Promise<ModelInfo> {
    return (await this.#model).info;
  }

  /** Runs when all earlier calls have run. */
  call<T>(sequence: number, work: (model: EngineModel) => Promise<T>): Promise<T> {
    this.lastRequestAt = this.#now();
    return this.queue.run(sequence, async () => work(await this.#model));
  }

  /** Takes other weights in the place of its own, which stay where the others cannot be loaded. */
  async replace(load: () => Promise<EngineModel>): Promise<EngineModel> {
    const model = await load();
    const old = this.#model;
    this.#model = this.#watch(Promise.resolve(model));
    await old.then((before) => before[Symbol.asyncDispose]()).catch(() => undefined);
    return model;
  }

  async close(reason: unknown): Promise<void> {
    if (this.#closed) return;
    this.#closed = true;
    this.queue.close(reason);
    this.samplers.close();
    await this.#model.then((model) => model[Symbol.asyncDispose]()).catch(() => undefined);
  }
}
