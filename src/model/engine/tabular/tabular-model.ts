import { resolve } from "node:path";
import { waitFor } from "../../../foundation/base/index.ts";
import type {
  CallOptions,
  Datum,
  EngineModel,
  ForwardOptions,
  ForwardResult,
  GradientFeatureOptions,
  ModelInfo,
  OptimizerResult,
  OptimizerStep,
  SaveOptions,
} from "../../../foundation/contract/index.ts";
import { engineError } from "../engine-error.ts";
import { SequenceCounter } from "../sequence-counter.ts";
import type { FolderFiles } from "../write-folder.ts";
import { filesOf, writeCheckpoint } from "./checkpoint.ts";
import type { LoadedModel } from "./load-model.ts";
import { Replies } from "./replies.ts";
import { answer, answerUnless, type Session } from "./session.ts";
import { TabularSampler } from "./tabular-sampler.ts";
import { Trainer } from "./trainer.ts";

export interface TabularModelOptions {
  readonly id: string;
  readonly loaded: LoadedModel;
  readonly tokenBytes: readonly Uint8Array[] | undefined;
  readonly session: Session;
}

interface Numbered {
  readonly sequence?: number | undefined;
  readonly signal?: AbortSignal | undefined;
}

/** A table that can be trained. */
export class TabularModel implements EngineModel {
  readonly id: string;
  readonly info: ModelInfo;
  readonly #options: TabularModelOptions;
  readonly #trainer: Trainer;
  readonly #files: FolderFiles;
  readonly #sequence = new SequenceCounter();
  readonly #replies = new Replies();
  #disposed = false;

  constructor(options: TabularModelOptions) {
    this.id = options.id;
    this.info = options.loaded.info;
    this.#options = options;
    this.#trainer = new Trainer(options.loaded);
    this.#files = filesOf(options.loaded.folder);
  }

  forward(data: readonly Datum[], options: ForwardOptions): Promise<ForwardResult> {
    return this.#pass(data, options, false);
  }

  forwardBackward(data: readonly Datum[], options: ForwardOptions): Promise<ForwardResult> {
    return this.#pass(data, options, true);
  }

  #pass(
    data: readonly Datum[],
    { loss, logprobs = "all", ...options }: ForwardOptions,
    backward: boolean,
  ): Promise<ForwardResult> {
    const { tally } = this.#options.session;
    return this.#call(options, () => {
      const result = this.#trainer.run(data, loss, logprobs, backward);
      if (backward) for (const { tokens } of data) tally.tokensTrained += tokens.length;
      return result;
    });
  }

  optimStep(options: OptimizerStep): Promise<OptimizerResult> {
    const { tally } = this.#options.session;
    return this.#call(options, () => {
      const result = this.#trainer.optimStep(options);
      tally.optimizerSteps += 1;
      return result;
    });
  }

  save({ path, optimizer = true, ...options }: SaveOptions): ReturnType<EngineModel["save"]> {
    return this.#call(options, () => {
      const { table, step, optimizer: moments } = this.#trainer;
      const state = { table, step, optimizer: moments, keepOptimizer: optimizer };
      const bytes = writeCheckpoint(resolve(path), { ...state, files: this.#files });
      return { path, bytes };
    });
  }

  snapshot(options: CallOptions = {}): Promise<TabularSampler> {
    const { loaded, tokenBytes, session } = this.#options;
    const reply = this.#call(options, (sequence) => {
      const sampler = new TabularSampler({
        id: `${this.id}/snapshot-${sequence}`,
        weightVersion: `${this.id}@${this.#trainer.step}`,
        table: this.#trainer.view(),
        limits: loaded.limits,
        tokenBytes,
        session,
      });
      return { sampler };
    });
    return reply.then(({ sampler }) => sampler);
  }

  gradientFeatures(
    data: readonly Datum[],
    { loss, dimensions, seed, signal }: GradientFeatureOptions,
  ): Promise<Float32Array[]> {
    return answerUnless(this.#options.session, signal, () => {
      this.#checkHeld();
      return this.#trainer.gradientFeatures(data, loss, { dimensions, seed });
    });
  }

  #checkHeld(): void {
    if (this.#disposed) throw engineError("unknown-model", `The model ${this.id} was given back.`);
  }

  async #call<T extends object>(
    { sequence: again, signal }: Numbered,
    work: (sequence: number) => T,
  ): Promise<T & { readonly sequence: number }> {
    signal?.throwIfAborted();
    const { sequence, failed } = this.#sequence.take(again);
    const reply = answer(this.#options.session, () =>
      this.#replies.once(sequence, () => {
        this.#checkHeld();
        return work(sequence);
      }),
    );
    reply.catch(failed);
    return await waitFor(reply, signal);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#disposed = true;
  }
}
