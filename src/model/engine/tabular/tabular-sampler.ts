import type {
  SampledSequence,
  SampleRequest,
  Sampler,
  ScoredSequence,
  ScoreOptions,
  TokenCertainty,
  TokenIds,
} from "../../../foundation/contract/index.ts";
import { engineError } from "../engine-error.ts";
import { certaintyOf, normalise } from "./distribution.ts";
import { checkTokens, type Limits } from "./limits.ts";
import { answerUnless, type Session } from "./session.ts";
import type { Table } from "./table.ts";
import { checkTop, TopTokens } from "./top-tokens.ts";
import { checkRequest, writeSamples } from "./write-samples.ts";

export interface TabularSamplerOptions {
  readonly id: string;
  readonly weightVersion: string;
  /** Changed by nobody. */
  readonly table: Table;
  readonly limits: Limits;
  readonly tokenBytes: readonly Uint8Array[] | undefined;
  readonly session: Session;
}

interface Waiting {
  readonly signal?: AbortSignal;
}

/** A table to sample from. */
export class TabularSampler implements Sampler {
  readonly id: string;
  readonly weightVersion: string;
  readonly #options: TabularSamplerOptions;
  #disposed = false;

  constructor(options: TabularSamplerOptions) {
    this.id = options.id;
    this.weightVersion = options.weightVersion;
    this.#options = options;
  }

  sample(requests: readonly SampleRequest[], { signal }: Waiting = {}): Promise<SampledSequence[][]> {
    const { session, table, limits, tokenBytes } = this.#options;
    return answerUnless(session, signal, () => {
      this.#checkHeld();
      for (const request of requests) checkRequest(request, limits, tokenBytes);
      const samples = requests.map((request) => writeSamples(table, request, limits, tokenBytes));
      for (const { tokens } of samples.flat()) session.tally.tokensSampled += tokens.length;
      return samples;
    });
  }

  logprobs(sequences: readonly TokenIds[], { signal }: Waiting = {}): Promise<Float32Array[]> {
    return this.#each(sequences, signal, (tokens) => this.#score(tokens, 0).logprobs);
  }

  score(sequences: readonly TokenIds[], { top = 0, signal }: ScoreOptions = {}): Promise<ScoredSequence[]> {
    const { vocabulary } = this.#options.limits;
    return this.#each(
      sequences,
      signal,
      (tokens) => this.#score(tokens, top),
      () => checkTop(top, vocabulary),
    );
  }

  certainty(sequences: readonly TokenIds[], { signal }: Waiting = {}): Promise<TokenCertainty[]> {
    return this.#each(sequences, signal, (tokens) => {
      const entropy = new Float32Array(tokens.length).fill(Number.NaN);
      const selfCertainty = entropy.slice();
      this.#walk(tokens, (position, logits, logarithm) => {
        const certainty = certaintyOf(logits, logarithm);
        entropy[position] = certainty.entropy;
        selfCertainty[position] = certainty.selfCertainty;
      });
      return { entropy, selfCertainty };
    });
  }

  /** Checks all, then answers for each. Nothing follows a sequence's last token, so a whole sample can be asked about. */
  #each<T>(
    sequences: readonly TokenIds[],
    signal: AbortSignal | undefined,
    work: (tokens: TokenIds) => T,
    check = (): void => {},
  ): Promise<T[]> {
    const { session, limits } = this.#options;
    return answerUnless(session, signal, () => {
      this.#checkHeld();
      check();
      for (const sequence of sequences) checkTokens(sequence, limits, 1);
      return sequences.map(work);
    });
  }

  #score(tokens: TokenIds, k: number): ScoredSequence {
    const logprobs = new Float32Array(tokens.length).fill(Number.NaN);
    const top = new TopTokens(k, tokens.length);
    this.#walk(tokens, (position, logits, logarithm) => {
      logprobs[position] = (logits[tokens[position] as number] as number) - logarithm;
      top.write(position, logits, logarithm);
    });
    return { logprobs, ...top.upTo(tokens.length) };
  }

  /** The logits that predict each token but the first, and the logarithm of the sum of their exponentials. */
  #walk(tokens: TokenIds, see: (position: number, logits: Float64Array, logarithm: number) => void): void {
    const { table, limits } = this.#options;
    const logits = new Float64Array(limits.vocabulary);
    const probabilities = new Float64Array(limits.vocabulary);
    let node = table.index.start;
    for (let position = 0; position < tokens.length - 1; position++) {
      node = table.index.node(tokens, position, node);
      table.read(logits, tokens, position, node);
      see(position + 1, logits, normalise(logits, probabilities));
    }
  }

  #checkHeld(): void {
    if (this.#disposed) throw engineError("unknown-sampler", `The sampler ${this.id} was given back.`);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#disposed = true;
  }
}
