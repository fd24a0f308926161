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

  get inflight(): HeldSampler | undefined {
    return this.#inflight;
  }

  #letGo(): void {
    for (;;) {
      const [oldest, successor, newer] = this.#snapshots;
      if (oldest === undefined || newer === undefined || successor?.drained !== true) return;
      oldest.retire();
      this.#snapshots = this.#snapshots.slice(1);
    }
  }

  retireAll(): void {
    for (const held of this.#snapshots) held.retire();
    this.#snapshots = [];
    this.#inflight?.retire();
    this.#inflight = undefined;
  }
}
