import type {
  Engine,
  EngineCapabilities,
  EngineCost,
  EngineModel,
  LoadOptions,
  Sampler,
} from "../../../foundation/contract/index.ts";
import { isDeath } from "./engine-death.ts";
import { RecoveringModel } from "./recovering-model.ts";
import { RecoveringSampler } from "./recovering-sampler.ts";
import { Patience, type RecoveryOptions } from "./recovery.ts";

/**
 * An engine whose weights outlive its workers: whoever calls it hears of a death only when one follows the other with nothing
 * answered between them. Arrays that it was given must stay as they are: calls may be made again. Disposing of it is
 * disposing of the engine inside.
 */
export class RecoveringEngine implements Engine {
  readonly name: string;
  readonly #inner: Engine;
  readonly #options: RecoveryOptions;

  constructor(inner: Engine, options: RecoveryOptions) {
    this.name = inner.name;
    this.#inner = inner;
    this.#options = options;
  }

  capabilities(): Promise<EngineCapabilities> {
    return this.#inner.capabilities();
  }

  async createModel(origin: LoadOptions): Promise<EngineModel> {
    const load = (options: LoadOptions): Promise<EngineModel> => this.#inner.createModel(options);
    const first = await this.#persist(() => load(origin));
    return new RecoveringModel({ ...this.#options, load, origin, first });
  }

  async loadSampler(options: LoadOptions): Promise<Sampler> {
    const load = (): Promise<Sampler> => this.#persist(() => this.#inner.loadSampler(options));
    const { clock, nameOf, onRecovery } = this.#options;
    const { path } = options.source;
    const patience = new Patience(this.#options);
    const first = await load();
    let alive: Sampler | undefined = first;
    let held = Promise.resolve(first);
    const loadAgain = async (dead: Sampler, reason: string): Promise<Sampler> => {
      const began = clock.monotonic();
      await dead[Symbol.asyncDispose]();
      const sampler = await load();
      alive = sampler;
      const seconds = (clock.monotonic() - began) / 1000;
      onRecovery?.({ reason, weights: nameOf?.(path) ?? path, replayed: 0, seconds });
      return sampler;
    };
    return new RecoveringSampler(first, nameOf?.(path) ?? first.weightVersion, {
      current: () => held,
      lost: async (dead, death) => {
        // Calls that a death cut off at once hear of it one after the other.
        if (alive === dead) {
          alive = undefined;
          if (patience.isSpent()) throw death;
          held = loadAgain(dead, death.code);
        }
        await held;
      },
      answered: () => patience.renew(),
      release: async () => (await held)[Symbol.asyncDispose](),
    });
  }

  /** A death while weights are loaded costs nothing but the loading. */
  async #persist<T>(load: () => Promise<T>): Promise<T> {
    const patience = new Patience(this.#options);
    for (;;) {
      try {
        return await load();
      } catch (error) {
        if (!isDeath(error) || patience.isSpent()) throw error;
      }
    }
  }

  cost(): EngineCost {
    return this.#inner.cost();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#inner[Symbol.asyncDispose]();
  }
}
