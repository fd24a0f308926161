import { rmSync } from "node:fs";
import { type WhetstoneError, waitFor } from "../../../foundation/base/index.ts";
import type {
  CallOptions,
  Datum,
  EngineModel,
  ForwardOptions,
  ForwardResult,
  GradientFeatureOptions,
  LoadOptions,
  ModelInfo,
  OptimizerResult,
  OptimizerStep,
  Sampler,
  SaveOptions,
  SnapshotOptions,
} from "../../../foundation/contract/index.ts";
import { engineError } from "../engine-error.ts";
import { isDeath } from "./engine-death.ts";
import { RecoveringSampler } from "./recovering-sampler.ts";
import { Patience, type RecoveryOptions } from "./recovery.ts";
import { type LogicalStep, type StepKind, StepRecord } from "./step-record.ts";

export interface RecoveringModelOptions extends RecoveryOptions {
  readonly load: (options: LoadOptions) => Promise<EngineModel>;
  /** What it was made of. */
  readonly origin: LoadOptions;
  readonly first: EngineModel;
}

type Waiting = Readonly<{ signal?: AbortSignal | undefined }>;

/**
 * Trainable weights that outlive the worker that holds them. Every call is written down before it is made; after a death the
 * weights are loaded from their last checkpoint and the calls since are made again, in their order, the unanswered ones
 * among them. An answer of an incarnation that is gone is not heard.
 */
export class RecoveringModel implements EngineModel {
  readonly id: string;
  readonly info: ModelInfo;
  readonly gradientFeatures?: NonNullable<EngineModel["gradientFeatures"]>;
  readonly #options: RecoveringModelOptions;
  readonly #record = new StepRecord();
  readonly #patience: Patience;
  #inner: EngineModel;
  #origin: LoadOptions;
  /** The newest checkpoint that cannot be gone on from yet, because somebody samples from weights of before it. */
  #newest: { readonly save: LogicalStep; readonly path: string } | undefined;
  #incarnation = 1;
  #recovering: Promise<void> | undefined;
  #failure: unknown;
  #weights: string;
  #disposed = false;

  constructor(options: RecoveringModelOptions) {
    const { first, origin } = options;
    this.id = first.id;
    this.info = first.info;
    this.#options = options;
    this.#patience = new Patience(options);
    this.#inner = first;
    this.#origin = origin;
    this.#weights = this.#nameOf(origin.source.path);
    if (first.gradientFeatures !== undefined)
      this.gradientFeatures = (data, features) => this.#features(data, features);
  }

  forward(data: readonly Datum[], { sequence: _, ...options }: ForwardOptions): Promise<ForwardResult> {
    return this.#call("read", options, (model, waiting) => model.forward(data, { ...options, ...waiting }));
  }

  forwardBackward(
    data: readonly Datum[],
    { sequence: _, ...options }: ForwardOptions,
  ): Promise<ForwardResult> {
    return this.#call("gradient", options, (model, waiting) =>
      model.forwardBackward(data, { ...options, ...waiting }),
    );
  }

  optimStep({ sequence: _, ...options }: OptimizerStep): Promise<OptimizerResult> {
    return this.#call("step", options, (model, waiting) => model.optimStep({ ...options, ...waiting }));
  }

  #features(data: readonly Datum[], options: GradientFeatureOptions): Promise<Float32Array[]> {
    return this.#call("read", options, (model, waiting) => {
      const { gradientFeatures } = model;
      if (gradientFeatures === undefined)
        throw engineError("bad-request", "The model that was loaded again has no gradient features.");
      return gradientFeatures.call(model, data, { ...options, ...waiting });
    });
  }

  save({ sequence: _, ...options }: SaveOptions): ReturnType<EngineModel["save"]> {
    const { path, optimizer = true } = options;
    this.#weights = this.#nameOf(path);
    const { promise, step } = this.#begin("save", options, (model, waiting, again) => {
      // It may have been written, and the answer lost: nobody has relied on it yet.
      if (again) rmSync(path, { recursive: true, force: true });
      return model.save({ ...options, ...waiting });
    });
    // Without the moments training would go on otherwise than it did.
    if (optimizer) promise.then(() => this.#goOnFrom(step, path)).catch(() => undefined);
    return waitFor(promise, options.signal);
  }

  async snapshot({ signal, expected }: SnapshotOptions = {}): Promise<Sampler> {
    const weights = this.#weights;
    const { promise, step } = this.#begin("snapshot", { signal }, (model, waiting) =>
      model.snapshot({ ...waiting, ...(expected === undefined ? {} : { expected }) }),
    );
    const first = await waitFor(promise, signal);
    const steps = /@(\d+)$/.exec(first.weightVersion)?.[1];
    // An engine counts its models, and so names them by what else this process did: weights have a name of their own.
    return new RecoveringSampler(first, steps === undefined ? weights : `${weights}@${steps}`, {
      current: async () => {
        await this.#recovering;
        if (this.#failure !== undefined) throw this.#failure;
        return (await step.held?.promise) ?? first;
      },
      lost: async (dead, death) => {
        if (!this.#record.steps().includes(step)) throw this.#failure ?? death;
        if (this.#recovering === undefined && step.held?.sampler === dead) this.#recover(death);
        await this.#recovering;
      },
      answered: () => this.#patience.renew(),
      release: async () => {
        this.#record.drop(step);
        if (this.#newest !== undefined) this.#goOnFrom(this.#newest.save, this.#newest.path);
        await step.held?.sampler?.[Symbol.asyncDispose]();
      },
    });
  }

  #call<T>(
    kind: StepKind,
    waiting: Waiting,
    make: (model: EngineModel, waiting: CallOptions, again: boolean) => Promise<T>,
  ): Promise<T> {
    return waitFor(this.#begin(kind, waiting, make).promise, waiting.signal);
  }

  /** Writes a call down, and makes it at once, unless the weights are being loaded again: then it is made after those before it. */
  #begin<T>(
    kind: StepKind,
    { signal }: Waiting,
    make: (model: EngineModel, waiting: CallOptions, again: boolean) => Promise<T>,
  ): { readonly promise: Promise<T>; readonly step: LogicalStep } {
    signal?.throwIfAborted();
    const { promise, resolve, reject } = Promise.withResolvers<T>();
    const step: LogicalStep<T> = {
      kind,
      make: (model, again) => make(model, signal === undefined || signal.aborted ? {} : { signal }, again),
      waited: true,
      resolve,
      reject,
    };
    promise.catch(() => undefined);
    const written = step as LogicalStep;
    if (this.#disposed) reject(engineError("unknown-model", `The model ${this.id} was given back.`));
    else if (this.#failure !== undefined) reject(this.#failure);
    else {
      this.#record.add(written);
      if (this.#recovering === undefined) this.#make(written, false);
    }
    return { promise, step: written };
  }

  #make(step: LogicalStep, again: boolean): void {
    const incarnation = this.#incarnation;
    if (step.kind === "snapshot" && (step.held === undefined || step.held.sampler !== undefined)) {
      step.held = Promise.withResolvers<Sampler>();
      step.held.promise.catch(() => undefined);
    }
    const answer = new Promise((resolve) => resolve(step.make(this.#inner, again)));
    answer.then(
      (value) => {
        if (incarnation === this.#incarnation) this.#answered(step, value);
      },
      (error: unknown) => {
        if (incarnation !== this.#incarnation) return;
        if (isDeath(error)) this.#recover(error);
        else this.#refused(step, error);
      },
    );
  }

  #answered(step: LogicalStep, value: unknown): void {
    if (step.kind === "read") this.#record.drop(step);
    if (step.held !== undefined) {
      step.held.sampler = value as Sampler;
      step.held.resolve(value as Sampler);
    }
    if (!step.waited) return;
    step.waited = false;
    this.#patience.renew();
    step.resolve(value);
  }

  #refused(step: LogicalStep, error: unknown): void {
    this.#record.drop(step);
    step.waited = false;
    step.held?.reject(error);
    step.reject(error);
  }

  #goOnFrom(save: LogicalStep, path: string): void {
    this.#newest = undefined;
    if (this.#record.forgetUntil(save)) {
      const { lora: _, ...loading } = this.#origin;
      this.#origin = { ...loading, source: { kind: "checkpoint", path, optimizer: true } };
    } else if (this.#record.steps().includes(save)) this.#newest = { save, path };
  }

  /** Loads the weights again and makes the calls that they do not hold; those that come meanwhile wait for it. */
  #recover(death: WhetstoneError): void {
    this.#incarnation += 1;
    if (this.#disposed || this.#patience.isSpent()) this.#fail(death);
    else this.#recovering = this.#loadAgain(death);
  }

  async #loadAgain(death: WhetstoneError): Promise<void> {
    const { load, clock, onRecovery } = this.#options;
    const began = clock.monotonic();
    try {
      await this.#inner[Symbol.asyncDispose]();
      this.#inner = await load(this.#origin);
    } catch (error) {
      this.#recovering = undefined;
      if (!isDeath(error)) this.#fail(error);
      else {
        this.#recover(error);
        await this.#recovering;
      }
      return;
    }
    this.#recovering = undefined;
    // A checkpoint that was told of is there, and somebody may rely on it: it is not written again.
    const steps = this.#record.steps().filter(({ kind, waited }) => kind !== "save" || waited);
    for (const step of steps) this.#make(step, true);
    onRecovery?.({
      reason: death.code,
      weights: this.#nameOf(this.#origin.source.path),
      replayed: steps.filter(({ kind }) => kind === "step").length,
      seconds: (clock.monotonic() - began) / 1000,
    });
  }

  #fail(error: unknown): void {
    this.#failure = error;
    for (const step of [...this.#record.steps()]) this.#refused(step, error);
  }

  #nameOf(path: string): string {
    return this.#options.nameOf?.(path) ?? path;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#disposed = true;
    await this.#recovering;
    await this.#inner[Symbol.asyncDispose]();
  }
}
