import { readFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { z } from "zod";
import { type Clock, messageOf, userError, waitFor } from "../../../foundation/base/index.ts";
import type {
  Engine,
  EngineCapabilities,
  EngineCost,
  EngineModel,
  LoadOptions,
  LoraOptions,
  ModelInfo,
  Sampler,
  Tolerance,
} from "../../../foundation/contract/index.ts";
import { engineError } from "../engine-error.ts";
import { estimateParameters } from "../estimate-parameters.ts";
import { maxPositionsOf } from "../max-positions.ts";
import { weightVersionOf } from "../weight-version.ts";
import type { Connection } from "./connection.ts";
import { lossNames } from "./losses.ts";
import { type Pointer, readPointer } from "./pointer.ts";
import { RemoteModel } from "./remote-model.ts";
import { RemoteSampler } from "./remote-sampler.ts";
import { RemoteSession } from "./remote-session.ts";

export interface TinkerEngineOptions {
  readonly connection: Connection;
  readonly baseUrl: string;
  /** The server's name for the model that folders given here are. */
  readonly model: string;
  readonly clock: Clock;
}

interface Opened {
  readonly session: RemoteSession;
  readonly capabilities: EngineCapabilities;
  readonly ours: boolean;
}

const exact: Tolerance = { logprob: 2e-4, meanLogprob: 2e-4, gradient: 1e-3 };
const rough: Tolerance = { logprob: 1, meanLogprob: 0.1, gradient: 0.05 };

/** What any server of the API is taken to be able to do, where it does not say. */
const plain: Omit<EngineCapabilities, "engine"> = {
  device: "remote",
  losses: lossNames,
  optimizers: ["adamw"],
  precisions: ["fp32", "mixed", "bf16"],
  architectures: [],
  stopStrings: true,
  topK: true,
  loraRank: 128,
  gradientCheckpointing: false,
  topLogprobs: 20,
  extensions: [],
  untested: ["what this server can do: it does not say"],
  workers: 1,
  tolerance: { fp32: exact, mixed: rough, bf16: rough },
};

/** Models on a server that speaks the Tinker API. Folders given here are read for configuration and tokenizer only. */
export class TinkerEngine implements Engine {
  readonly name = "tinker";
  readonly #options: TinkerEngineOptions;
  readonly #openedAt: number;
  #opening: Promise<Opened> | undefined;
  #session: RemoteSession | undefined;

  constructor(options: TinkerEngineOptions) {
    this.#options = options;
    this.#openedAt = options.clock.monotonic();
  }

  async capabilities(): Promise<EngineCapabilities> {
    return (await this.#open()).capabilities;
  }

  #open(): Promise<Opened> {
    this.#opening ??= this.#openSession().catch((error: unknown) => {
      this.#opening = undefined;
      throw error;
    });
    return this.#opening;
  }

  async #openSession(): Promise<Opened> {
    const { connection, model, clock, baseUrl } = this.#options;
    const { supported_models: models } = await connection.get("get_server_capabilities");
    const names = (models as readonly { readonly model_name?: string }[]).map((one) => one.model_name);
    if (!names.includes(model))
      throw userError(
        "unknown-model",
        `The server at ${baseUrl} has no model "${model}"; it has ${names.join(", ")}.`,
      );
    const own = (await connection.get("whetstone/capabilities").catch(() => undefined)) as
      | EngineCapabilities
      | undefined;
    const body = { tags: [], user_metadata: null, sdk_version: "0.38.0", type: "create_session" };
    const { session_id: id } = await connection.post("create_session", body);
    const session = new RemoteSession(connection, String(id), model, clock);
    const engine = own === undefined ? `${this.name} (${baseUrl})` : `${this.name} (${own.engine})`;
    this.#session = session;
    return { session, capabilities: { ...plain, ...own, engine, extensions: [] }, ours: own !== undefined };
  }

  async createModel(options: LoadOptions): Promise<EngineModel> {
    options.signal?.throwIfAborted();
    const opened = await this.#open();
    return await waitFor(
      opened.session.busy(() => this.#create(opened, options)),
      options.signal,
    );
  }

  async #create(
    { session, capabilities, ours }: Opened,
    { source, precision = "fp32", lora, tokenBytes, gradientCheckpointing }: LoadOptions,
  ): Promise<RemoteModel> {
    if (!capabilities.precisions.includes(precision))
      throw userError(
        "unsupported-precision",
        `The server computes in ${capabilities.precisions.join()} only.`,
      );
    if (gradientCheckpointing === true && !capabilities.gradientCheckpointing)
      throw engineError(
        "bad-request",
        "The server recomputes no activations: leave gradientCheckpointing out.",
      );
    const { connection, modelName: model } = session;
    const { baseUrl } = this.#options;
    const ids = { session_id: session.id, model_seq_id: session.nextModel() };
    const pointed = source.kind === "checkpoint" ? this.#pointer(source.path) : undefined;
    const folder = pointed?.folder ?? resolve(source.path);
    const info = { ...infoOf(folder), step: pointed?.step ?? 0 };
    let made: Record<string, unknown>;
    if (pointed !== undefined && source.kind === "checkpoint") {
      if (source.optimizer && !pointed.optimizer)
        throw userError("optimizer-missing", `${source.path} was saved without its optimiser.`);
      const body = { ...ids, path: pointed.path, optimizer: source.optimizer, type: "load_weights" };
      made = await connection.operation("load_weights", body);
    } else {
      const seed = source.kind === "folder" ? source.seed : undefined;
      const lora_config = loraConfig(lora, seed);
      made = await connection.operation("create_model", { ...ids, base_model: model, lora_config });
    }
    const pointer = { baseUrl, folder, model };
    return new RemoteModel({ id: String(made.model_id), info, session, tokenBytes, pointer, ours });
  }

  #pointer(path: string): Pointer {
    const pointer = readPointer(resolve(path));
    if (pointer.baseUrl !== this.#options.baseUrl)
      throw userError("wrong-server", `${path} is on the server at ${pointer.baseUrl}, and this is another.`);
    return pointer;
  }

  async loadSampler(options: LoadOptions): Promise<Sampler> {
    options.signal?.throwIfAborted();
    const { source } = options;
    if (source.kind === "folder" && source.seed !== undefined) return this.#drawn(options);
    const opened = await this.#open();
    return await waitFor(
      opened.session.busy(() => this.#load(opened, options)),
      options.signal,
    );
  }

  /** A base model of a seed of its own is made as one to train, and kept as one to draw from. */
  async #drawn(options: LoadOptions): Promise<Sampler> {
    const model = await this.createModel(options);
    const sampler = await model.snapshot();
    const { session, ours } = await this.#open();
    return new RemoteSampler({
      id: sampler.id,
      weightVersion: weightVersionOf(options.source),
      session,
      tokenBytes: options.tokenBytes,
      release: async () => {
        if (ours) await sampler[Symbol.asyncDispose]();
        await model[Symbol.asyncDispose]();
      },
    });
  }

  async #load({ session, ours }: Opened, { source, tokenBytes }: LoadOptions): Promise<Sampler> {
    const of =
      source.kind === "checkpoint"
        ? { model_path: this.#pointer(source.path).path }
        : { base_model: session.modelName };
    const { sampling_session_id: id } = await session.connection.post("create_sampling_session", {
      session_id: session.id,
      sampling_session_seq_id: session.nextSampler(),
      ...of,
    });
    return new RemoteSampler({
      id: String(id),
      weightVersion: weightVersionOf(source),
      session,
      tokenBytes,
      release: async () => {
        if (ours) await session.connection.post("whetstone/release_sampler", { sampling_session_id: id });
      },
    });
  }

  cost(): EngineCost {
    const { tally = { tokensSampled: 0, tokensTrained: 0, optimizerSteps: 0 }, busySeconds = 0 } =
      this.#session ?? {};
    return {
      busySeconds,
      availableSeconds: (this.#options.clock.monotonic() - this.#openedAt) / 1000,
      ...tally,
    };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const opened = await this.#opening?.catch(() => undefined);
    opened?.session.close();
  }
}

const configSchema = z.looseObject({ vocab_size: z.int().min(1) });

function infoOf(folder: string): Omit<ModelInfo, "step"> {
  const path = join(folder, "config.json");
  let config: z.output<typeof configSchema>;
  try {
    config = configSchema.parse(JSON.parse(readFileSync(path, "utf8")));
  } catch (error) {
    throw userError(
      "config-missing",
      `${path} is needed here too, with the tokenizer; the weights may be missing (${messageOf(error)}).`,
      { path },
    );
  }
  const maxPositions = maxPositionsOf(config);
  return {
    parameters: estimateParameters(config),
    vocabularySize: config.vocab_size,
    ...(maxPositions === undefined ? {} : { maxPositions }),
  };
}

function loraConfig(lora: LoraOptions | undefined, seed: number | undefined): object {
  if (lora === undefined) return { rank: 0, ...(seed === undefined ? {} : { seed }) };
  const { rank, alpha, modules = ["attention", "mlp"], seed: drawn = 0 } = lora;
  return {
    rank,
    seed: drawn,
    train_attn: modules.includes("attention"),
    train_mlp: modules.includes("mlp"),
    train_unembed: modules.includes("unembed"),
    ...(alpha === undefined ? {} : { alpha }),
  };
}
