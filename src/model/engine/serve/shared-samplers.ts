import { userError } from "../../../foundation/base/index.ts";
import type { Sampler } from "../../../foundation/contract/index.ts";
import { HeldSampler } from "./held-sampler.ts";

interface Shared {
  held: HeldSampler;
  readonly load: () => Promise<Sampler>;
  references: number;
}

/** Base models and checkpoints that are sampled from: loaded once for all who draw from them, and again where they were lost. */
export class SharedSamplers {
  readonly #all = new Map<string, Shared>();

  /** To be given back by {@link release}. */
  acquire(key: string, load: () => Promise<Sampler>): void {
    const known = this.#all.get(key);
    if (known !== undefined) known.references += 1;
    else this.#all.set(key, { held: new HeldSampler(load()), load, references: 1 });
  }

  /** Throws a user error `sampler-gone` where all have given it back. */
  held(key: string): HeldSampler {
    const shared = this.#all.get(key);
    if (shared === undefined)
      throw userError(
        "sampler-gone",
        "The sampler was given back, or its session ended, before this draw began.",
      );
    if (shared.held.lost) {
      shared.held.retire();
      shared.held = new HeldSampler(shared.load());
    }
    return shared.held;
  }

  release(key: string): void {
    const shared = this.#all.get(key);
    if (shared === undefined) return;
    shared.references -= 1;
    if (shared.references > 0) return;
    shared.held.retire();
    this.#all.delete(key);
  }

  retireAll(): void {
    for (const { held } of this.#all.values()) held.retire();
    this.#all.clear();
  }
}
