import type { Sampler, SamplingPolicy, Tokenizer } from "../../foundation/contract/index.ts";

/** Samplers of saved weights, kept while they are still compared with: the champion is loaded once, not once a round. */
export class SamplerShelf implements AsyncDisposable {
  readonly #load: (checkpoint: string) => Promise<Sampler>;
  readonly #tokenizer: Tokenizer;
  readonly #samplers = new Map<string, Promise<Sampler>>();

  constructor(options: {
    readonly load: (checkpoint: string) => Promise<Sampler>;
    readonly tokenizer: Tokenizer;
  }) {
    this.#load = options.load;
    this.#tokenizer = options.tokenizer;
  }

  async get(role: string, checkpoint: string): Promise<SamplingPolicy> {
    let sampler = this.#samplers.get(checkpoint);
    if (sampler === undefined) {
      sampler = this.#load(checkpoint);
      this.#samplers.set(checkpoint, sampler);
      sampler.catch(() => this.#samplers.delete(checkpoint));
    }
    return { role, sampler: await sampler, tokenizer: this.#tokenizer };
  }

  /** Gives back every sampler but these. */
  async keep(checkpoints: readonly string[]): Promise<void> {
    const gone = [...this.#samplers].filter(([checkpoint]) => !checkpoints.includes(checkpoint));
    for (const [checkpoint] of gone) this.#samplers.delete(checkpoint);
    // One that could not be loaded, or was not waited for, needs no giving back.
    await Promise.all(
      gone.map(([, sampler]) =>
        sampler.then(
          (loaded) => loaded[Symbol.asyncDispose](),
          () => undefined,
        ),
      ),
    );
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.keep([]);
  }
}
