import { userError } from "../../../foundation/base/index.ts";
import type { Sampler } from "../../../foundation/contract/index.ts";
import { HeldSampler } from "./held-sampler.ts";

/**
 * The samplers without a name of one model. A snapshot is kept until its successor has been drawn from and is idle, and
 * there is a newer one still: whoever trains while the last samples come in finds both. Those of kind `inflight` are one
 * sampler, whose weights are replaced.
 */
export class ModelSamplers {
  #snapshots: HeldSampler[] = [];
  #inflight: HeldSampler | undefined;

  addSnapshot(sampler: Sampler): HeldSampler {
    const held = new HeldSampler(Promise.resolve(sampler), () => this.#letGo());
    this.#snapshots.push(held);
    this.#letGo();
    return held;
  }

  replaceInflight(sampler: Sampler): void {
    this.#inflight?.retire();
    this.#inflight = new HeldSampler(Promise.resolve(sampler));
  }

  /** The newest weights. Throws a user error `sampler-gone` once the model is given back. */
  inflight(): HeldSampler {
    if (this.#inflight !== undefined) return this.#inflight;
    throw userError("sampler-gone", "The model whose newest weights these were is gone.");
  }

  #letGo(): void {
    for (;;) {
      const [oldest, successor, newer] = this.#snapshots;
      if (oldest === undefined || newer === undefined || successor?.drained !== true) return;
      oldest.retire();
      this.#snapshots = this.#snapshots.slice(1);
    }
  }

  /** Snapshots outlive their model: they go with the samplers that were made of them. */
  close(): void {
    this.#inflight?.retire();
    this.#inflight = undefined;
  }
}
