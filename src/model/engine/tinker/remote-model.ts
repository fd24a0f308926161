import { randomUUID } from "node:crypto";
import { existsSync } from "node:fs";
import { resolve } from "node:path";
import { userError, waitFor } from "../../../foundation/base/index.ts";
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
  Sampler,
  SaveOptions,
} from "../../../foundation/contract/index.ts";
import { checkTargets, checkTokens, countedBy, refuseBounds, requiredArray } from "../datum.ts";
import { engineError } from "../engine-error.ts";
import { checkProjection } from "../projection.ts";
import { lossOf } from "../reference-loss.ts";
import { textIn, unreadable } from "./connection.ts";
import { wireDatumOf } from "./data.ts";
import { featureParts, refuseWithout } from "./extensions.ts";
import {
  refuseClipping,
  refuseDecay,
  refuseForeignBounds,
  refuseSignedWeights,
  spelledOut,
  withoutMasks,
} from "./foreign-data.ts";
import { configOf, lossNames } from "./losses.ts";
import { keptSampler, type MadeSampler } from "./made-sampler.ts";
import { checkpointOf } from "./paths.ts";
import { type Pointer, writePointer } from "./pointer.ts";
import { RemoteSampler } from "./remote-sampler.ts";
import type { RemoteSession } from "./remote-session.ts";
import type { ServerTraits } from "./server-traits.ts";
import { writeFeatures } from "./wire/extensions.ts";

export interface RemoteModelOptions {
  readonly id: string;
  readonly info: ModelInfo;
  readonly session: RemoteSession;
  readonly tokenBytes: readonly Uint8Array[] | undefined;
  /** What a pointer to a checkpoint of it says, besides where that is. */
  readonly pointer: Pick<Pointer, "baseUrl" | "folder" | "model">;
  readonly traits: ServerTraits;
  /** Numbers that the server has taken for this model already. */
  readonly sent?: number;
}

/** Sends a call to the server, under the number that it takes: what takes one is sent. */
type Send<T> = (take: () => number) => Promise<T>;

/** What servers call the norm of a step's gradient: ours, and SkyRL. */
const normNames = ["grad_norm:mean", "skyrl.ai/grad_norm"] as const;

/** Replies that are kept for calls that are made again. */
const remembered = 64;

/**
 * A model on a server. There a call that fails uses its number up, here it does not: each call waits for the one before it,
 * and has a number of the server's beside its own.
 */
export class RemoteModel implements EngineModel {
  readonly id: string;
  readonly info: ModelInfo;
  readonly #options: RemoteModelOptions;
  readonly #replies = new Map<number, object>();
  #applied = 0;
  #sent: number;
  #step: number;
  #last: Promise<unknown> = Promise.resolve();
  #disposed = false;

  constructor(options: RemoteModelOptions) {
    this.id = options.id;
    this.info = options.info;
    this.#options = options;
    this.#step = options.info.step;
    this.#sent = options.sent ?? 0;
  }

  forward(data: readonly Datum[], options: ForwardOptions): Promise<ForwardResult> {
    return this.#pass(data, options, true);
  }

  forwardBackward(data: readonly Datum[], options: ForwardOptions): Promise<ForwardResult> {
    return this.#pass(data, options, false);
  }

  #pass(
    data: readonly Datum[],
    { loss, logprobs: returned = "all", ...options }: ForwardOptions,
    forwardOnly: boolean,
  ): Promise<ForwardResult> {
    const { session, traits } = this.#options;
    return this.#call(options, () => {
      checkData(data, loss, this.info.vocabularySize);
      if (!traits.signedWeights && !forwardOnly) refuseSignedWeights(data, loss);
      if (!traits.ours) refuseForeignBounds(data);
      const sent = traits.ours ? data : withoutMasks(data, loss);
      const wire = sent.map((datum) => wireDatumOf(datum, loss, traits.ours));
      const lossConfig = configOf(traits.ours ? loss : spelledOut(loss));
      return async (take) => {
        const sequence = take();
        const pass = { modelId: this.id, sequence, data: wire, lossName: loss.name, lossConfig, forwardOnly };
        const { metrics, logprobs } = await session.connection.pass(pass);
        checkReturned(data, loss, logprobs);
        const kind = forwardOnly ? "tokensRead" : "tokensTrained";
        for (const { tokens } of data) session.tally[kind] += tokens.length;
        let positions = 0;
        const counts = data.map((datum) => countedBy(datum, loss));
        for (const [index, { tokens }] of data.entries())
          positions +=
            counts[index]?.reduce((sum, weight) => sum + (weight === 0 ? 0 : 1), 0) ?? tokens.length;
        const wanted = logprobs.map((values, index) => {
          if (returned === "none") return new Float32Array(0);
          const counted = returned === "weighted" ? counts[index] : undefined;
          return counted === undefined
            ? values
            : values.map((value, place) => (counted[place] === 0 ? Number.NaN : value));
        });
        // A server that tells no loss tells the logprobs, of which it is a function.
        const computed = () =>
          data.reduce((sum, datum, at) => sum + lossOf(loss, datum, logprobs[at] as Float32Array), 0);
        return { lossSum: metrics["loss:sum"] ?? computed(), positions, logprobs: wanted };
      };
    });
  }

  optimStep(options: OptimizerStep): Promise<OptimizerResult> {
    const { session, traits } = this.#options;
    return this.#call(options, () => {
      if (!traits.gradientClipping) refuseClipping(options);
      if (!traits.weightDecay) refuseDecay(options);
      const parameters = stepBody(options);
      return async (take) => {
        const body = { model_id: this.id, seq_id: take(), ...parameters };
        const { metrics } = await session.connection.operation("optim_step", body);
        const numbers = (metrics ?? {}) as Readonly<Record<string, number>>;
        this.#step += 1;
        session.tally.optimizerSteps += 1;
        const told = normNames.map((name) => numbers[name]).find((norm) => norm !== undefined);
        return { step: this.#step, gradientNorm: told ?? Number.NaN };
      };
    });
  }

  /** The weights stay on the server; the folder says where. */
  save({ path: given, optimizer = true, ...options }: SaveOptions): ReturnType<EngineModel["save"]> {
    const { pointer, session, traits } = this.#options;
    const folder = resolve(given);
    const check = (): void => {
      if (existsSync(folder))
        throw userError("save-exists", `${folder} exists already; remove it, or save under another name.`);
    };
    return this.#call(options, () => async (take) => {
      check();
      const name = `step-${this.#step}-${randomUUID().slice(0, 8)}`;
      const path = await this.#saveWeights(take, name);
      const apart = !traits.ours && traits.keepsSamplers;
      session.hasSaved(path);
      const samplerPath = apart ? await this.#saveForSampler(take, name) : undefined;
      if (samplerPath !== undefined) session.hasSaved(samplerPath);
      const bytes = writePointer(folder, {
        ...pointer,
        path,
        ...(samplerPath === undefined ? {} : { samplerPath }),
        step: this.#step,
        optimizer,
      });
      return { path: given, bytes };
    });
  }

  async #saveWeights(take: () => number, name: string): Promise<string> {
    const body = { model_id: this.id, seq_id: take(), path: name };
    return textIn(await this.#options.session.connection.operation("save_weights", body), "path");
  }

  /** Elsewhere what is saved to train on is not sampled from. */
  async #saveForSampler(take: () => number, name: string): Promise<string> {
    const body = { model_id: this.id, seq_id: take(), path: name };
    return textIn(await this.#options.session.connection.operation("save_weights_for_sampler", body), "path");
  }

  async snapshot(options: CallOptions = {}): Promise<Sampler> {
    const { session, tokenBytes, traits } = this.#options;
    const { sampler } = await this.#call(options, () => async (take) => {
      const { id, release } = await this.#sampler(take);
      const sampler = new RemoteSampler({
        id,
        weightVersion: `${this.id}@${this.#step}`,
        session,
        traits,
        tokenBytes,
        vocabularySize: this.info.vocabularySize,
        release,
      });
      return { sampler };
    });
    return sampler;
  }

  /** Throws `unsupported` where the server has no `gradient-features`. It has no number of the contract, but its turn. */
  async gradientFeatures(
    data: readonly Datum[],
    { loss, dimensions, seed, signal }: GradientFeatureOptions,
  ): Promise<Float32Array[]> {
    signal?.throwIfAborted();
    const { session, traits } = this.#options;
    refuseWithout(traits, "gradient-features");
    checkProjection({ dimensions, seed });
    checkData(data, loss, this.info.vocabularySize);
    const lossConfig = configOf(loss);
    const wire = featureParts(
      data.map((datum) => wireDatumOf(datum, loss)),
      dimensions,
    );
    const told = this.#last.then(() =>
      session.onHeld(async () => {
        const features: Float32Array[] = [];
        for (const members of wire) {
          signal?.throwIfAborted();
          this.#checkHeld();
          const pass = {
            modelId: this.id,
            sequence: ++this.#sent,
            data: members,
            lossName: loss.name,
            lossConfig,
            forwardOnly: false,
          };
          const body = writeFeatures({ pass, dimensions, seed });
          const { features: one = [] } = await session.connection.arrays("whetstone/gradient_features", body);
          if (one.length !== members.length || one.some(({ length }) => length !== dimensions))
            throw unreadable(`it does not hold ${dimensions} features of every datum`);
          features.push(...one);
        }
        return features;
      }),
    );
    this.#last = told.catch(() => undefined);
    return waitFor(told, signal);
  }

  /** The weights of now, to sample from, and how they are given back. */
  async #sampler(take: () => number): Promise<MadeSampler> {
    const { session, traits } = this.#options;
    const { connection } = session;
    if (traits.ours) {
      const body = {
        model_id: this.id,
        seq_id: take(),
        sampling_session_seq_id: session.nextSampler(),
        kind: "snapshot",
        keep: true,
      };
      const saved = await connection.operation("save_weights_for_sampler", body);
      const id = textIn(saved, "sampling_session_id");
      return { id, release: () => session.release(id) };
    }
    if (traits.keepsSamplers) {
      const path = await this.#saveForSampler(take, this.#snapshotName());
      const id = await session.sampler({ model_path: path });
      return { id, release: () => connection.remove(checkpointOf(path)) };
    }
    const path = await this.#saveWeights(take, this.#snapshotName());
    try {
      return await keptSampler(session, path);
    } finally {
      await connection.remove(checkpointOf(path)).catch(() => undefined);
    }
  }

  /** Elsewhere one without a name may go when a later one is made, or learn with its model; one with a name is a checkpoint. */
  #snapshotName(): string {
    return `snapshot-${this.#step}-${randomUUID().slice(0, 8)}`;
  }

  #call<T extends object>(
    { sequence: again, signal }: { readonly sequence?: number; readonly signal?: AbortSignal },
    prepare: () => Send<T>,
  ): Promise<T & { readonly sequence: number }> {
    signal?.throwIfAborted();
    // Read now: the caller may change its arrays.
    let send: Send<T>;
    try {
      send = prepare();
    } catch (error) {
      send = () => Promise.reject(error);
    }
    const reply = this.#last.then(() =>
      this.#once(again, () => this.#options.session.onHeld(() => send(() => ++this.#sent))),
    );
    this.#last = reply.catch(() => undefined);
    return waitFor(reply, signal);
  }

  async #once<T extends object>(
    again: number | undefined,
    run: () => Promise<T>,
  ): Promise<T & { readonly sequence: number }> {
    const sequence = again ?? this.#applied + 1;
    if (sequence <= this.#applied) {
      const reply = this.#replies.get(sequence);
      if (reply !== undefined) return reply as T & { readonly sequence: number };
      throw engineError("sequence-forgotten", `Call ${sequence} was applied, and its reply is forgotten.`);
    }
    if (sequence !== this.#applied + 1)
      throw engineError("sequence-gap", `Call ${sequence} came after call ${this.#applied}.`);
    this.#checkHeld();
    const reply = { ...(await run()), sequence };
    this.#applied = sequence;
    this.#replies.set(sequence, reply);
    this.#replies.delete(sequence - remembered);
    return reply;
  }

  #checkHeld(): void {
    if (this.#disposed) throw engineError("unknown-model", `The model ${this.id} was given back.`);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#disposed) return;
    this.#disposed = true;
    const { session } = this.#options;
    if (session.lost) return;
    await session.connection
      .operation("unload_model", { model_id: this.id }, { patient: false })
      .catch(() => undefined);
  }
}

/** Throws `bad-request` and `token-out-of-range`: not every server looks at what it is sent. */
function checkData(data: readonly Datum[], loss: ForwardOptions["loss"], vocabularySize: number): void {
  if (!lossNames.includes(loss.name)) throw engineError("bad-request", `There is no loss "${loss.name}".`);
  checkTargets(data);
  for (const [index, { tokens, targets }] of data.entries()) {
    checkTokens(tokens, vocabularySize, `The tokens of datum ${index}`);
    checkTokens(targets, vocabularySize, `The targets of datum ${index}`);
  }
  refuseBounds(data, loss);
  for (const [index, datum] of data.entries())
    if (loss.name === "cross_entropy") requiredArray(datum, index, "weights", loss);
    else
      for (const name of ["advantages", "logprobs", "mask"] as const) requiredArray(datum, index, name, loss);
}

/** Throws `server-refused` where logprobs are missing, and `non-finite-loss` where one that counts is no number. */
function checkReturned(
  data: readonly Datum[],
  loss: ForwardOptions["loss"],
  logprobs: readonly Float32Array[],
): void {
  const whole = data.every(({ tokens }, at) => logprobs[at]?.length === tokens.length);
  if (!whole || logprobs.length !== data.length)
    throw unreadable("it does not hold a logprob for every position");
  for (const [index, datum] of data.entries()) {
    const counts = countedBy(datum, loss);
    if (!logprobs[index]?.every((value, at) => counts?.[at] === 0 || Number.isFinite(value)))
      throw engineError(
        "non-finite-loss",
        `The server's logprobs of datum ${index} are no finite numbers: weights or arrays are broken.`,
      );
  }
}

/** Throws `bad-request` for what JSON cannot say. */
function stepBody({ optimizer = "adamw", learningRate, ...rest }: OptimizerStep): object {
  const { beta1 = 0.9, beta2 = 0.999, epsilon = 1e-8, weightDecay = 0.01, gradientClipNorm = 0 } = rest;
  const numbers = { learningRate, beta1, beta2, epsilon, weightDecay, gradientClipNorm };
  for (const [name, value] of Object.entries(numbers))
    if (!Number.isFinite(value))
      throw engineError("bad-request", `"${name}" must be a finite number, not ${value}.`);
  const common = { learning_rate: learningRate, weight_decay: weightDecay, grad_clip_norm: gradientClipNorm };
  return optimizer === "sgd"
    ? { optimizer_params: { type: "sgd", ...common } }
    : { adam_params: { ...common, beta1, beta2, eps: epsilon } };
}
