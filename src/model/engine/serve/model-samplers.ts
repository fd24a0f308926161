import { userError } from "../../../foundation/base/index.ts";
import type { Sampler } from "../../../foundation/contract/index.ts";
import { HeldSampler, mostUnused } from "./held-sampler.ts";

/**
 * The samplers without a name of one model. A snapshot is kept until its successor has drained: that was drawn from and is idle,
 * or is gone itself, and a newer one is there, without which it would not be draining. So whoever trains while the last samples
 * come in, turn by turn, finds both, and one that nobody draws from keeps no others. Of those that nobody has drawn from the newest
 * few are kept: who makes one each step and draws from none holds no more. Those of kind `inflight` are one sampler, whose
 * weights are replaced.
 */
export class ModelSamplers {
  #snapshots: HeldSampler[] = [];
  #inflight: HeldSampler | undefined;
  #closed = false;

  addSnapshot(sampler: Sampler): HeldSampler {
    const held = new HeldSampler(Promise.resolve(sampler), () => this.#letGo());
    this.#snapshots.push(held);
    this.#letGo();
    return held;
  }

  replaceInflight(sampler: Sampler): void {
    this.#inflight?.retire();
    const held = new HeldSampler(Promise.resolve(sampler));
    if (this.#closed) held.retire();
    else this.#inflight = held;
  }

  /** The newest weights. Throws a user error `sampler-gone` once the model is given back. */
  inflight(): HeldSampler {
    if (this.#inflight !== undefined) return this.#inflight;
    throw userError("sampler-gone", "The model whose newest weights these were is gone.");
  }

  #letGo(): void {
    const held = this.#snapshots.filter(({ retired }) => !retired);
    let goes = false;
    for (const [at, snapshot] of [...held.entries()].slice(0, -2).reverse()) {
      goes ||= held[at + 1]?.drained === true;
      if (goes) snapshot.retire();
    }
    for (const unused of held.filter(({ used }) => !used).slice(0, -mostUnused)) unused.retire();
    this.#snapshots = held.filter(({ retired }) => !retired);
  }

  /** Snapshots outlive their model: they go with the samplers that were made of them. */
  close(): void {
    this.#closed = true;
    this.#inflight?.retire();
    this.#inflight = undefined;
  }
}
