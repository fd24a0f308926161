import { resolve } from "node:path";
import { waitFor } from "../../../foundation/base/index.ts";
import type {
  Datum,
  EngineModel,
  ExpectedSampling,
  ForwardOptions,
  ForwardResult,
  GradientFeatureOptions,
  LoadOptions,
  ModelInfo,
  OptimizerResult,
  OptimizerStep,
  SaveOptions,
  SnapshotOptions,
} from "../../../foundation/contract/index.ts";
import { SequenceCounter } from "../sequence-counter.ts";
import type { Tally } from "../tally.ts";
import type { FrameHead, FrameInput } from "./frames.ts";
import type { Lease } from "./pool.ts";
import { LocalSampler } from "./sampler.ts";
import { packData, unpackLogprobs } from "./training-data.ts";
import { WeightsCopy } from "./weights-copy.ts";
import type { Reply } from "./worker.ts";

export interface LocalModelOptions {
  readonly id: string;
  readonly info: ModelInfo;
  readonly lease: Lease;
  /** As it was loaded. */
  readonly loaded: Pick<LoadOptions, "precision" | "tokenBytes">;
  readonly tally: Tally;
  /** Of its samplers. */
  readonly deterministic: boolean;
}

/** Parameters times tokens that take longer to sample than a copy: about a fifteenth of a second of one core. */
const worthACopy = 5e8;

/** Trainable weights on one worker. */
export class LocalModel implements EngineModel {
  readonly id: string;
  readonly info: ModelInfo;
  readonly #lease: Lease;
  readonly #loaded: LocalModelOptions["loaded"];
  readonly #tally: Tally;
  readonly #deterministic: boolean;
  readonly #sequence = new SequenceCounter();
  #disposed = false;

  constructor({ id, info, lease, loaded, tally, deterministic }: LocalModelOptions) {
    this.id = id;
    this.info = info;
    this.#lease = lease;
    this.#loaded = loaded;
    this.#tally = tally;
    this.#deterministic = deterministic;
  }

  forward(data: readonly Datum[], options: ForwardOptions): Promise<ForwardResult> {
    return this.#pass("forward", data, options);
  }

  forwardBackward(data: readonly Datum[], options: ForwardOptions): Promise<ForwardResult> {
    return this.#pass("forward_backward", data, options);
  }

  async #pass(
    verb: "forward" | "forward_backward",
    data: readonly Datum[],
    { loss, logprobs = "all", ...options }: ForwardOptions,
  ): Promise<ForwardResult> {
    // Whether others compute is chance, and how a pass is cut changes its last bits.
    const alone = this.#deterministic || this.#lease.alone();
    const parameters = { loss, logprobs, ...(alone ? {} : { helped: false }) };
    const { reply, fresh } = await this.#call(verb, parameters, options, packData(data, loss));
    if (fresh && verb === "forward_backward")
      for (const { tokens } of data) this.#tally.tokensTrained += tokens.length;
    const { sequence, lossSum, positions } = reply.head as unknown as ForwardResult;
    const flat = reply.arrays.logprobs as Float32Array | undefined;
    return { sequence, lossSum, positions, logprobs: unpackLogprobs(data, loss, logprobs, flat) };
  }

  async optimStep({ sequence: again, signal, ...step }: OptimizerStep): Promise<OptimizerResult> {
    const { reply, fresh } = await this.#call(
      "optim_step",
      { optimizer: "adamw", ...step },
      { sequence: again, signal },
    );
    if (fresh) this.#tally.optimizerSteps += 1;
    const { sequence, step: applied, gradientNorm } = reply.head as unknown as OptimizerResult;
    return { sequence, step: applied, gradientNorm };
  }

  async save({ path, optimizer = true, ...options }: SaveOptions): ReturnType<EngineModel["save"]> {
    const { reply } = await this.#call("save", { path: resolve(path), optimizer }, options);
    const { sequence, bytes } = reply.head as unknown as { sequence: number; bytes: number };
    return { sequence, path, bytes };
  }

  async snapshot({ expected, ...options }: SnapshotOptions = {}): Promise<LocalSampler> {
    // Named by its call, so that a call that is made again finds what it made before.
    const idOf = (sequence: unknown): string => `${this.id}/snapshot-${sequence}`;
    const call = this.#call("snapshot", (sequence) => ({ sampler: idOf(sequence) }), options);
    await using copy = this.#copy(expected);
    const { reply } = await call;
    const id = idOf(reply.head.sequence);
    const copies = (await copy?.loadAs(id)) ?? [];
    const apart = expected?.whileTraining === true && copies.length > 0;
    const { worker } = this.#lease;
    return new LocalSampler({
      deterministic: this.#deterministic,
      id,
      weightVersion: `${this.id}@${reply.head.step}`,
      ...(apart ? { workers: copies, reserve: worker } : { workers: [worker, ...copies] }),
      tally: this.#tally,
    });
  }

  #copy(expected: ExpectedSampling | undefined): WeightsCopy | undefined {
    // Which worker is idle is chance, and adapters come with a base that the others would have to read.
    if (expected === undefined || this.#deterministic || this.info.lora !== undefined) return undefined;
    if (this.info.parameters * expected.tokens < worthACopy && !expected.whileTraining) return undefined;
    const { worker, idle } = this.#lease;
    const to = idle();
    if (to.length === 0) return undefined;
    return new WeightsCopy({ model: this.id, from: worker, to, loaded: this.#loaded });
  }

  async gradientFeatures(
    data: readonly Datum[],
    { loss, dimensions, seed, signal }: GradientFeatureOptions,
  ): Promise<Float32Array[]> {
    signal?.throwIfAborted();
    const parameters = { model: this.id, loss, dimensions, seed };
    const reply = this.#lease.worker.call("gradient_features", parameters, packData(data, loss));
    const { arrays } = await waitFor(reply, signal);
    const features = arrays.features as Float32Array;
    return data.map((_, index) => features.slice(index * dimensions, (index + 1) * dimensions));
  }

  /** Written before the first await, so that calls keep the order in which they were made. */
  async #call(
    verb: string,
    parametersOf: FrameHead | ((sequence: number) => FrameHead),
    {
      sequence: again,
      signal,
    }: { readonly sequence?: number | undefined; readonly signal?: AbortSignal | undefined },
    arrays?: FrameInput,
  ): Promise<{ readonly reply: Reply; readonly fresh: boolean }> {
    signal?.throwIfAborted();
    const { sequence, fresh, failed } = this.#sequence.take(again);
    const parameters = typeof parametersOf === "function" ? parametersOf(sequence) : parametersOf;
    const reply = this.#lease.worker.call(verb, { model: this.id, sequence, ...parameters }, arrays);
    reply.catch(failed);
    return { reply: await waitFor(reply, signal), fresh };
  }

  /** Not waited for: calls come in order, and who is asked to end would wait for all that were made before. */
  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#disposed) return;
    this.#disposed = true;
    const { worker, release } = this.#lease;
    release();
    if (worker.failure === undefined) worker.call("unload", { model: this.id }).catch(() => undefined);
  }
}
