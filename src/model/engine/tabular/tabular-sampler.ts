import type {
  SampledSequence,
  SampleRequest,
  Sampler,
  TokenIds,
} from "../../../foundation/contract/index.ts";
import { engineError } from "../engine-error.ts";
import { normalise } from "./distribution.ts";
import { checkTokens, type Limits } from "./limits.ts";
import { answerUnless, type Session } from "./session.ts";
import type { Table } from "./table.ts";
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
    const { session, limits } = this.#options;
    return answerUnless(session, signal, () => {
      this.#checkHeld();
      for (const sequence of sequences) checkTokens(sequence, limits);
      return sequences.map((sequence) => this.#logprobsOf(sequence));
    });
  }

  #logprobsOf(tokens: TokenIds): Float32Array {
    const { table, limits } = this.#options;
    const logits = new Float64Array(limits.vocabulary);
    const probabilities = new Float64Array(limits.vocabulary);
    const out = new Float32Array(tokens.length).fill(Number.NaN);
    let node = table.index.start;
    for (let position = 0; position < tokens.length - 1; position++) {
      node = table.index.node(tokens, position, node);
      table.read(logits, tokens, position, node);
      const next = tokens[position + 1] as number;
      out[position + 1] = (logits[next] as number) - normalise(logits, probabilities);
    }
    return out;
  }

  #checkHeld(): void {
    if (this.#disposed) throw engineError("unknown-sampler", `The sampler ${this.id} was given back.`);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#disposed = true;
  }
}
