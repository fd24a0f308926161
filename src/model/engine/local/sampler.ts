import { waitFor } from "../../../foundation/base/index.ts";
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
import type { Tally } from "../tally.ts";
import { type FrameHead, i32 } from "./frames.ts";
import { packRequests, TopReader, unpackSamples } from "./sampling-data.ts";
import { deal, divide, type Share, steal } from "./shares.ts";
import type { Reply, Worker } from "./worker.ts";

export interface LocalSamplerOptions {
  readonly id: string;
  readonly weightVersion: string;
  /** All hold the same weights under the same id. */
  readonly workers: readonly Worker[];
  /** Holds them too, and has other work: asked where none of the others lives. */
  readonly reserve?: Worker;
  readonly tally: Tally;
  /** One call after the other, each divided in the same way, so that what is computed together depends on the calls alone. */
  readonly deterministic: boolean;
}

interface Waiting {
  readonly signal?: AbortSignal;
}

/** Weights that one or more workers hold. Who computes what changes no random number. */
export class LocalSampler implements Sampler {
  readonly id: string;
  readonly weightVersion: string;
  readonly #workers: readonly Worker[];
  readonly #reserve: readonly Worker[];
  readonly #tally: Tally;
  readonly #deterministic: boolean;
  /** The end of the call before; calls wait for it where they must not meet. */
  #before: Promise<unknown> = Promise.resolve();

  constructor({ id, weightVersion, workers, reserve, tally, deterministic }: LocalSamplerOptions) {
    this.id = id;
    this.weightVersion = weightVersion;
    this.#workers = workers;
    this.#reserve = reserve === undefined ? [] : [reserve];
    this.#tally = tally;
    this.#deterministic = deterministic;
  }

  /** A worker that died takes its copy along; the others go on. With none left, the call says why. */
  #living(): readonly Worker[] {
    const alive = ({ failure }: Worker): boolean => failure === undefined;
    const living = this.#workers.filter(alive);
    return living.length > 0 ? living : [...this.#reserve, ...this.#workers].slice(0, 1);
  }

  sample(requests: readonly SampleRequest[], { signal }: Waiting = {}): Promise<SampledSequence[][]> {
    const costOf = ({ samples, prompt, parameters }: SampleRequest) => {
      const rows = Math.max(1, samples);
      return { rows, cost: rows * (prompt.length + parameters.maxTokens) };
    };
    const run = async (worker: Worker, members: readonly SampleRequest[]): Promise<SampledSequence[][]> => {
      const { head, arrays } = packRequests(members);
      // What is kept of earlier calls would make the answer depend on which there were: a run that goes on makes fewer.
      const alone = this.#deterministic ? { forget: true } : {};
      const reply = await worker.call("sample", { sampler: this.id, ...alone, ...head }, arrays);
      this.#tally.tokensSampled += reply.arrays.tokens?.length ?? 0;
      return unpackSamples(members, reply.arrays);
    };
    return this.#shared(requests, costOf, run, signal);
  }

  logprobs(sequences: readonly TokenIds[], { signal }: Waiting = {}): Promise<Float32Array[]> {
    return this.#read("logprobs", {}, sequences, signal, ({ arrays }, lengths) =>
      split(arrays.logprobs as Float32Array, lengths),
    );
  }

  score(sequences: readonly TokenIds[], { top = 0, signal }: ScoreOptions = {}): Promise<ScoredSequence[]> {
    return this.#read("logprobs", { top }, sequences, signal, ({ arrays }, lengths) => {
      const reader = new TopReader(arrays);
      return split(arrays.logprobs as Float32Array, lengths).map((logprobs) => ({
        logprobs,
        ...reader.next(top, logprobs.length),
      }));
    });
  }

  certainty(sequences: readonly TokenIds[], { signal }: Waiting = {}): Promise<TokenCertainty[]> {
    return this.#read("certainty", {}, sequences, signal, ({ arrays }, lengths) => {
      const selfCertainty = split(arrays.self_certainty as Float32Array, lengths);
      return split(arrays.entropy as Float32Array, lengths).map((entropy, index) => ({
        entropy,
        selfCertainty: selfCertainty[index] as Float32Array,
      }));
    });
  }

  embed(
    sequences: readonly TokenIds[],
    { pooling, signal }: { readonly pooling: "mean" | "last"; readonly signal?: AbortSignal },
  ): Promise<Float32Array[]> {
    return this.#read("embed", { pooling }, sequences, signal, ({ head, arrays }, lengths) =>
      split(
        arrays.embeddings as Float32Array,
        lengths.map(() => head.width as number),
      ),
    );
  }

  /** A verb that reads sequences, which the workers share. */
  #read<T>(
    verb: string,
    parameters: FrameHead,
    sequences: readonly TokenIds[],
    signal: AbortSignal | undefined,
    unpack: (reply: Reply, lengths: readonly number[]) => T[],
  ): Promise<T[]> {
    const run = async (worker: Worker, members: readonly TokenIds[]): Promise<T[]> => {
      const lengths = members.map(({ length }) => length);
      if (lengths.includes(0)) throw engineError("bad-request", "A sequence has no tokens.");
      const arrays = { lengths: i32(Int32Array.from(lengths)), tokens: i32(...members) };
      return unpack(await worker.call(verb, { sampler: this.id, ...parameters }, arrays), lengths);
    };
    return this.#shared(sequences, ({ length }) => ({ rows: 1, cost: length }), run, signal);
  }

  /** Divides members of a call among the workers; the results are in the order of the members. */
  async #shared<M, T>(
    members: readonly M[],
    costOf: (member: M) => Pick<Share, "rows" | "cost">,
    run: (worker: Worker, members: readonly M[]) => Promise<readonly T[]>,
    signal: AbortSignal | undefined,
  ): Promise<T[]> {
    const workers = this.#deterministic ? this.#workers : this.#living();
    const shares = members.map((member, index) => ({ index, ...costOf(member) }));
    const results: T[] = new Array(members.length);
    const runChunk = async (worker: Worker, chunk: readonly Share[]): Promise<void> => {
      const done = await run(
        worker,
        chunk.map(({ index }) => members[index] as M),
      );
      for (const [place, { index }] of chunk.entries()) results[index] = done[place] as T;
    };
    const chunks = divide(shares, workers.length);
    await waitFor(
      this.#deterministic
        ? this.#afterTheLast(() => deal(workers, chunks, runChunk, signal))
        : steal(workers, chunks, runChunk, signal),
      signal,
    );
    return results;
  }

  #afterTheLast(run: () => Promise<void>): Promise<void> {
    const running = this.#before.then(run);
    this.#before = running.catch(() => undefined);
    return running;
  }

  /** Not waited for: calls come in order, and who is asked to end would wait for all that were made before. */
  async [Symbol.asyncDispose](): Promise<void> {
    for (const worker of [...this.#workers, ...this.#reserve])
      if (worker.failure === undefined) worker.call("unload", { sampler: this.id }).catch(() => undefined);
  }
}

/** A flat array, divided. */
function split(flat: Float32Array, lengths: readonly number[]): Float32Array[] {
  let at = 0;
  return lengths.map((length) => {
    at += length;
    return flat.slice(at - length, at);
  });
}
