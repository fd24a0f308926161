import { isWhetstoneError, userError } from "../../../foundation/base/index.ts";
import type { Sampler } from "../../../foundation/contract/index.ts";
import { categoryOf } from "./reply.ts";

/** Samplers without a name that a model keeps although nobody has drawn from them yet: each may be a copy of its weights. */
export const mostUnused = 8;

/** Weights to sample from, given back to the engine once they are retired and nobody draws from them any more. */
export class HeldSampler {
  /** Undefined once it is given back: whoever made it may hold this for long, and an engine in this process the weights by it. */
  #sampler: Promise<Sampler> | undefined;
  readonly #onDrained: () => void;
  #drawing = 0;
  #used = false;
  #retired = false;
  #lost = false;

  constructor(sampler: Promise<Sampler>, onDrained: () => void = () => undefined) {
    this.#sampler = sampler;
    this.#onDrained = onDrained;
    sampler.catch(() => {
      this.#lost = true;
    });
  }

  /** It was drawn from, or is. */
  get used(): boolean {
    return this.#used;
  }

  /** It was drawn from, and is not at this moment. */
  get drained(): boolean {
    return this.#used && this.#drawing === 0;
  }

  /** Nobody draws from it any more. */
  get retired(): boolean {
    return this.#retired;
  }

  /** The engine lost the weights, or never had them: they must be loaded again. */
  get lost(): boolean {
    return this.#lost;
  }

  /** Throws a user error `sampler-gone` once it is retired. */
  async draw<T>(work: (sampler: Sampler) => Promise<T>): Promise<T> {
    const sampler = this.#sampler;
    if (this.#retired || sampler === undefined)
      throw userError(
        "sampler-gone",
        "These weights are gone: those of a sampler without a name are kept until its successor has been drawn from and a newer one " +
          `is there, and of those that nobody has drawn from the newest ${mostUnused}. Save them under a name to keep them.`,
      );
    this.#used = true;
    this.#drawing += 1;
    try {
      return await work(await sampler);
    } catch (error) {
      if (isWhetstoneError(error) && error.category === "engine" && categoryOf(error) === "server")
        this.#lost = true;
      throw error;
    } finally {
      this.#drawing -= 1;
      if (this.#drawing === 0) {
        if (this.#retired) this.#dispose();
        this.#onDrained();
      }
    }
  }

  /** Draws that have begun are still answered. */
  retire(): void {
    if (this.#retired) return;
    this.#retired = true;
    if (this.#drawing === 0) this.#dispose();
  }

  #dispose(): void {
    this.#sampler?.then((sampler) => sampler[Symbol.asyncDispose]()).catch(() => undefined);
    this.#sampler = undefined;
  }
}
