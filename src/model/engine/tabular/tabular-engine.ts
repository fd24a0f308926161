import { resolve } from "node:path";
import type { Clock } from "../../../foundation/base/index.ts";
import type {
  Engine,
  EngineCapabilities,
  EngineCost,
  EngineModel,
  LoadOptions,
  Sampler,
  Tolerance,
} from "../../../foundation/contract/index.ts";
import { weightVersionOf } from "../weight-version.ts";
import { abilities } from "./abilities.ts";
import { loadModel, type TableShape } from "./load-model.ts";
import { answerUnless, type Session } from "./session.ts";
import { TabularModel } from "./tabular-model.ts";
import { TabularSampler } from "./tabular-sampler.ts";

export interface TabularEngineOptions extends TableShape {
  readonly clock: Clock;
}

/** Logprobs travel as 32-bit floats; sums are of 64-bit ones. */
const tolerance: Tolerance = { logprob: 1e-6, meanLogprob: 1e-6, gradient: 1e-9 };

/** Tables in this process, behind the contract of every engine. */
export class TabularEngine implements Engine {
  readonly name = "tabular";
  readonly #shape: TableShape;
  readonly #session: Session;
  readonly #openedAt: number;
  #models = 0;
  #samplers = 0;

  constructor({ clock, reach, deviation }: TabularEngineOptions) {
    this.#shape = { reach, deviation };
    this.#openedAt = clock.monotonic();
    this.#session = {
      clock,
      tally: { tokensSampled: 0, tokensTrained: 0, optimizerSteps: 0 },
      busySeconds: 0,
      closed: false,
    };
  }

  capabilities(): Promise<EngineCapabilities> {
    return answerUnless(this.#session, undefined, () => ({
      engine: this.name,
      device: "cpu",
      ...abilities,
      architectures: ["table"],
      untested: [],
      workers: 1,
      tolerance: { fp32: tolerance, mixed: tolerance, bf16: tolerance },
    }));
  }

  createModel(options: LoadOptions): Promise<EngineModel> {
    this.#models += 1;
    const id = `model-${this.#models}`;
    return answerUnless(this.#session, options.signal, () => {
      const loaded = loadModel(resolve(options.source.path), options, this.#shape);
      return new TabularModel({ id, loaded, tokenBytes: options.tokenBytes, session: this.#session });
    });
  }

  loadSampler(options: LoadOptions): Promise<Sampler> {
    this.#samplers += 1;
    const id = `sampler-${this.#samplers}`;
    const { source, tokenBytes, signal } = options;
    return answerUnless(this.#session, signal, () => {
      const weights = source.kind === "checkpoint" ? { ...source, optimizer: false } : source;
      const { table, limits } = loadModel(resolve(source.path), { ...options, source: weights }, this.#shape);
      const weightVersion = weightVersionOf(source);
      return new TabularSampler({ id, weightVersion, table, limits, tokenBytes, session: this.#session });
    });
  }

  cost(): EngineCost {
    const { busySeconds, tally, clock } = this.#session;
    return { busySeconds, availableSeconds: (clock.monotonic() - this.#openedAt) / 1000, ...tally };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#session.closed = true;
  }
}
