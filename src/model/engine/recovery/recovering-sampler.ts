import { internalError, type WhetstoneError } from "../../../foundation/base/index.ts";
import type { SampleRequest, Sampler, TokenIds } from "../../../foundation/contract/index.ts";
import { isDeath } from "./engine-death.ts";

/** Where a sampler's weights are held now; a death is told to it, and then it holds them again. */
export interface SamplerPlace {
  /** The sampler that holds them. Rejects where they could not be loaded again. */
  current(): Promise<Sampler>;
  /** Weights that were held there are lost. Throws the death itself where it was one too many. */
  lost(dead: Sampler, death: WhetstoneError): Promise<void>;
  /** An answer was given. */
  answered(): void;
  release(): Promise<void>;
}

type Waiting = { readonly signal?: AbortSignal } | undefined;

/**
 * A sampler that outlives the workers that hold its weights: a call that a death cut off is made again as a whole, with the
 * same requests, so that what is sampled together is what would have been.
 */
export class RecoveringSampler implements Sampler {
  readonly id: string;
  readonly weightVersion: string;
  readonly score?: NonNullable<Sampler["score"]>;
  readonly certainty?: NonNullable<Sampler["certainty"]>;
  readonly embed?: NonNullable<Sampler["embed"]>;
  readonly #place: SamplerPlace;

  /** `first` says what an engine's samplers can do: all of one engine can the same. */
  constructor(first: Sampler, weightVersion: string, place: SamplerPlace) {
    this.id = first.id;
    this.weightVersion = weightVersion;
    this.#place = place;
    if (first.score !== undefined)
      this.score = (sequences, options) =>
        this.#call((sampler) => able(sampler.score).call(sampler, sequences, options));
    if (first.certainty !== undefined)
      this.certainty = (sequences, options) =>
        this.#call((sampler) => able(sampler.certainty).call(sampler, sequences, options));
    if (first.embed !== undefined)
      this.embed = (sequences, options) =>
        this.#call((sampler) => able(sampler.embed).call(sampler, sequences, options));
  }

  sample(requests: readonly SampleRequest[], options?: Waiting): ReturnType<Sampler["sample"]> {
    return this.#call((sampler) => sampler.sample(requests, options));
  }

  logprobs(sequences: readonly TokenIds[], options?: Waiting): ReturnType<Sampler["logprobs"]> {
    return this.#call((sampler) => sampler.logprobs(sequences, options));
  }

  async #call<T>(run: (sampler: Sampler) => Promise<T>): Promise<T> {
    for (;;) {
      const sampler = await this.#place.current();
      try {
        const answer = await run(sampler);
        this.#place.answered();
        return answer;
      } catch (error) {
        if (!isDeath(error)) throw error;
        await this.#place.lost(sampler, error);
      }
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#place.release();
  }
}

function able<T>(verb: T | undefined): T {
  if (verb === undefined) throw internalError("a sampler that was loaded again can do less than before");
  return verb;
}
