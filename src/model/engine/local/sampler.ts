import { waitFor } from "../../../foundation/base/index.ts";
import type {
  SampledSequence,
  SampleRequest,
  Sampler,
  TokenIds,
} from "../../../foundation/contract/index.ts";
import type { Tally } from "../tally.ts";
import { type FrameHead, i32 } from "./frames.ts";
import { packRequests, sharedParameters, unpackSamples } from "./sampling-data.ts";
import { divide, type Share, steal } from "./shares.ts";
import type { Worker } from "./worker.ts";

export interface LocalSamplerOptions {
  readonly id: string;
  readonly weightVersion: string;
  /** All hold the same weights under the same id. */
  readonly workers: readonly Worker[];
  readonly tally: Tally;
}

interface Waiting {
  readonly signal?: AbortSignal;
}

/** Weights that one or more workers hold. Who computes what changes no result, because random numbers do not depend on it. */
export class LocalSampler implements Sampler {
  readonly id: string;
  readonly weightVersion: string;
  readonly #workers: readonly Worker[];
  readonly #tally: Tally;

  constructor({ id, weightVersion, workers, tally }: LocalSamplerOptions) {
    this.id = id;
    this.weightVersion = weightVersion;
    this.#workers = workers;
    this.#tally = tally;
  }

  /** A worker that died takes its copy along; the others go on. With none left, the call says why. */
  #living(): readonly Worker[] {
    const living = this.#workers.filter(({ failure }) => failure === undefined);
    return living.length > 0 ? living : this.#workers.slice(0, 1);
  }

  async sample(requests: readonly SampleRequest[], { signal }: Waiting = {}): Promise<SampledSequence[][]> {
    const workers = this.#living();
    const groups = new Map<string, { parameters: FrameHead; shares: Share[] }>();
    for (const [index, request] of requests.entries()) {
      const parameters = sharedParameters(request);
      const key = JSON.stringify(parameters);
      const group = groups.get(key) ?? { parameters, shares: [] };
      groups.set(key, group);
      const rows = Math.max(1, request.samples);
      group.shares.push({ index, rows, cost: rows * (request.prompt.length + request.parameters.maxTokens) });
    }
    const chunks = [...groups.values()].flatMap(({ parameters, shares }) =>
      divide(shares, workers.length).map((chunk) => ({ parameters, chunk })),
    );
    const results: SampledSequence[][] = requests.map(() => []);
    const run = async (worker: Worker, { parameters, chunk }: (typeof chunks)[number]): Promise<void> => {
      const members = chunk.map(({ index }) => requests[index] as SampleRequest);
      const { arrays } = await worker.call(
        "sample",
        { sampler: this.id, ...parameters },
        packRequests(members),
      );
      this.#tally.tokensSampled += arrays.tokens?.length ?? 0;
      for (const [place, samples] of unpackSamples(members, arrays).entries())
        results[(chunk[place] as Share).index] = samples;
    };
    await waitFor(steal(workers, chunks, run, signal), signal);
    return results;
  }

  async logprobs(sequences: readonly TokenIds[], { signal }: Waiting = {}): Promise<Float32Array[]> {
    const workers = this.#living();
    const shares = sequences.map(({ length }, index) => ({ index, rows: 1, cost: length }));
    const results: Float32Array[] = sequences.map(() => new Float32Array(0));
    const run = async (worker: Worker, chunk: readonly Share[]): Promise<void> => {
      const members = chunk.map(({ index }) => sequences[index] as TokenIds);
      const lengths = Int32Array.from(members, ({ length }) => length);
      const { arrays } = await worker.call(
        "logprobs",
        { sampler: this.id },
        { lengths: i32(lengths), tokens: i32(...members) },
      );
      let at = 0;
      for (const [place, { index }] of chunk.entries()) {
        const end = at + (lengths[place] as number);
        results[index] = (arrays.logprobs as Float32Array).slice(at, end);
        at = end;
      }
    };
    await waitFor(steal(workers, divide(shares, workers.length), run, signal), signal);
    return results;
  }

  /** Not waited for: calls come in order, and who is asked to end would wait for all that were made before. */
  async [Symbol.asyncDispose](): Promise<void> {
    for (const worker of this.#workers)
      if (worker.failure === undefined) worker.call("unload", { sampler: this.id }).catch(() => undefined);
  }
}
