import { existsSync } from "node:fs";
import { join, resolve } from "node:path";
import { z } from "zod";
import { type Clock, isWhetstoneError, userError, waitFor } from "../../../foundation/base/index.ts";
import type {
  Engine,
  EngineCapabilities,
  EngineCost,
  EngineModel,
  EnginePrices,
  LoadOptions,
  LoraOptions,
  ModelInfo,
  ModelSource,
  Sampler,
} from "../../../foundation/contract/index.ts";
import { holdsAdapters } from "../adapter-folder.ts";
import { engineError } from "../engine-error.ts";
import { loraModules } from "../lora-modules.ts";
import { weightVersionOf } from "../weight-version.ts";
import { checkLora } from "./check-lora.ts";
import { addressOf, type Connection, textIn, unreadable } from "./connection.ts";
import { createByLoading } from "./create-by-loading.ts";
import { knownExtensions } from "./extensions.ts";
import { confirmModules, refuseAlpha, refusedWhole, trainedParts } from "./foreign-adapters.ts";
import { samplerOf } from "./made-sampler.ts";
import { readConfig, toldBy, unknownModel } from "./model-folder.ts";
import { plainServer } from "./plain-server.ts";
import { type Pointer, readPointer } from "./pointer.ts";
import { asFound, type Findings } from "./probe/findings.ts";
import { RemoteModel } from "./remote-model.ts";
import { RemoteSampler } from "./remote-sampler.ts";
import { RemoteSession } from "./remote-session.ts";
import type { ServerTraits } from "./server-traits.ts";
import { checkpointLost, isForgotten } from "./session-loss.ts";

export interface TinkerEngineOptions {
  readonly connection: Connection;
  readonly baseUrl: string;
  /** The server's name for the model that folders given here are. */
  readonly model: string;
  readonly clock: Clock;
  /** Finds out what a server can be relied on for, before anything else is asked of it. */
  readonly probe?: (server: ServerIdentity) => Promise<Findings | undefined>;
  /** Where nothing was found out: what is sampled from keeps its weights. Default true. */
  readonly keepsSamplers?: boolean;
  readonly prices?: EnginePrices;
  /** The server is only tried: what is saved there goes when the engine is closed. Default false. */
  readonly tries?: boolean;
}

/** Which server it is, as far as it says. */
export interface ServerIdentity {
  readonly baseUrl: string;
  readonly model: string;
  readonly ours: boolean;
  /** What it says of itself, word for word. */
  readonly says: string;
}

interface Opened {
  readonly session: RemoteSession;
  readonly capabilities: EngineCapabilities;
  readonly traits: ServerTraits;
}

/** Models on a server that speaks the Tinker API. Folders given here are read for configuration and tokenizer only. */
export class TinkerEngine implements Engine {
  readonly name = "tinker";
  readonly #options: TinkerEngineOptions;
  readonly #openedAt: number;
  #opening: Promise<Opened> | undefined;
  #session: RemoteSession | undefined;
  #lost: RemoteSession | undefined;

  constructor(options: TinkerEngineOptions) {
    this.#options = options;
    this.#openedAt = options.clock.monotonic();
  }

  async capabilities(): Promise<EngineCapabilities> {
    return (await this.#open()).capabilities;
  }

  /** The session, or another one in the place of one that the server has forgotten. */
  async #open(): Promise<Opened> {
    const opened = await this.#openOnce();
    if (!opened.session.lost) return opened;
    // Whoever comes first opens it, and the others wait for the same.
    if (this.#session === opened.session) {
      this.#session = undefined;
      this.#lost = opened.session;
      this.#opening = undefined;
    }
    return this.#open();
  }

  #openOnce(): Promise<Opened> {
    this.#opening ??= this.#openSession().catch((error: unknown) => {
      this.#opening = undefined;
      throw error;
    });
    return this.#opening;
  }

  async #openSession(): Promise<Opened> {
    const { connection, model, clock, baseUrl, probe, keepsSamplers = true, prices, tries } = this.#options;
    const said = await connection.get("get_server_capabilities");
    const { supported_models: models, supported_loss_fns: losses } = said;
    const listed = modelsSchema.safeParse(models);
    if (!listed.success) throw unreadable("it lists no models");
    const names = listed.data.map((one) => one.model_name);
    if (!names.includes(model))
      throw userError(
        "unknown-model",
        `The server at ${baseUrl} has no model "${model}"; it has ${names.join(", ")}.`,
      );
    const own = ownOf(await connection.get("whetstone/capabilities").catch(() => undefined));
    const ours = own !== undefined;
    const says = JSON.stringify(own ?? said);
    const findings = await probe?.({ baseUrl, model, ours, says });
    const session = await RemoteSession.open({
      connection,
      baseUrl,
      modelName: model,
      clock,
      before: this.#lost,
      forgets: tries === true,
    });
    const engine = `${this.name} (${own?.engine ?? baseUrl})`;
    this.#session = session;
    const known = Array.isArray(losses)
      ? { ...plainServer, losses: plainServer.losses.filter((name) => losses.includes(name)) }
      : plainServer;
    // Requests arrive each by itself and in no certain order: bits are equal only where neither matters.
    const deterministic = own?.deterministic?.includes("batches") === true ? own.deterministic : [];
    const extensions = knownExtensions.filter((name) => own?.extensions?.includes(name));
    const stated = { ...known, ...(ours ? own : { minP: false }), engine, extensions, deterministic };
    const found = findings === undefined ? stated : asFound(stated, findings);
    const capabilities = prices === undefined ? found : { ...found, prices };
    const traits: ServerTraits = {
      ours,
      signedWeights: capabilities.signedWeights !== false,
      gradientClipping: capabilities.gradientClipping !== false,
      weightDecay: capabilities.weightDecay !== false,
      topK: capabilities.topK,
      topP: capabilities.topP !== false,
      keepsSamplers: findings?.keepsSamplers ?? keepsSamplers,
      freshOptimizer: capabilities.freshOptimizer !== false,
      extensions,
    };
    return { session, capabilities, traits };
  }

  async createModel(options: LoadOptions): Promise<EngineModel> {
    options.signal?.throwIfAborted();
    const opened = await this.#open();
    return await waitFor(
      this.#making(opened, options, () => this.#create(opened, options)),
      options.signal,
    );
  }

  async #create(
    { session, capabilities, traits }: Opened,
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
    const made =
      source.kind === "checkpoint"
        ? await this.#createFrom(session, traits, source)
        : await this.#createNew(session, traits, source, lora);
    const { id, folder, step, sent } = made;
    const info = { ...(await this.#infoOf(folder, id, traits)), step };
    const pointer = { baseUrl: this.#options.baseUrl, folder, model: session.modelName };
    return new RemoteModel({ id, info, session, tokenBytes, pointer, traits, sent });
  }

  async #createNew(
    session: RemoteSession,
    { ours }: ServerTraits,
    { path, seed }: Extract<ModelSource, { kind: "folder" }>,
    lora: LoraOptions | undefined,
  ): Promise<Made> {
    const folder = this.#folderOf(path);
    if (holdsAdapters(folder))
      throw userError(
        "unsupported",
        `${folder} holds adapters, and the server has ${session.modelName} without them: name their base as the model, or train them with local().`,
        { path: folder },
      );
    if (lora !== undefined) checkLora(lora);
    if (lora !== undefined && !ours) refuseAlpha(lora);
    const body = {
      session_id: session.id,
      model_seq_id: session.nextModel(),
      base_model: session.modelName,
      lora_config: loraConfig(lora, seed, ours),
    };
    const made = session.connection.operation("create_model", body);
    const id = textIn(await (lora === undefined && !ours ? made.catch(refusedWhole) : made), "model_id");
    const { modules } = lora ?? {};
    const sent = modules === undefined || ours ? 0 : await confirmModules(session, id, modules);
    return { id, folder, step: 0, sent };
  }

  async #createFrom(
    session: RemoteSession,
    traits: ServerTraits,
    { path, optimizer }: Extract<ModelSource, { kind: "checkpoint" }>,
  ): Promise<Made> {
    const pointer = this.#pointer(path);
    if (optimizer && !pointer.optimizer)
      throw userError("optimizer-missing", `${path} was saved without its optimiser.`);
    // Before the first step there are no moments.
    if (!optimizer && pointer.step > 0 && !traits.freshOptimizer)
      throw engineError(
        "unsupported",
        `This server was found to load a checkpoint's moments whether they are wanted or not, and ${path} has some: ` +
          "go on with them, or use a server that conforms (`whetstone engine check`).",
      );
    return { ...(await createByLoading(session, pointer.path, optimizer)), ...pointer };
  }

  /** Where its configuration lies; a model that is called by its name has none here. Throws `config-missing`. */
  #folderOf(path: string): string {
    const folder = resolve(path);
    if (path === this.#options.model && !existsSync(join(folder, "config.json"))) return path;
    readConfig(folder);
    return folder;
  }

  /** As the folder here has it; of a model without one, and of adapters, as our own servers tell. */
  async #infoOf(folder: string, id: string, { ours }: ServerTraits): Promise<Omit<ModelInfo, "step">> {
    const here = toldBy(folder);
    if (!ours) return here;
    const info = await this.#options.connection.post("get_info", { model_id: id, type: "get_info" });
    const read = toldSchema.safeParse(info.whetstone);
    if (!read.success) throw unreadable(`it does not say what the model is (${z.prettifyError(read.error)})`);
    const { lora, tolerance, ...told } = read.data;
    return {
      ...(here === unknownModel ? told : here),
      ...(lora === undefined ? {} : { lora }),
      ...(tolerance === undefined ? {} : { tolerance }),
    };
  }

  #pointer(path: string): Pointer {
    const pointer = readPointer(resolve(path));
    if (addressOf(pointer.baseUrl) !== this.#options.baseUrl)
      throw userError("wrong-server", `${path} is on the server at ${pointer.baseUrl}, and this is another.`);
    return pointer;
  }

  async loadSampler(options: LoadOptions): Promise<Sampler> {
    options.signal?.throwIfAborted();
    const { source } = options;
    const opened = await this.#open();
    // Elsewhere no seed draws the weights under a name: they are given.
    if (source.kind === "folder" && source.seed !== undefined && opened.traits.ours)
      return await this.#drawn(opened, options);
    return await waitFor(
      this.#making(opened, options, () => this.#load(opened, options)),
      options.signal,
    );
  }

  /** A base model of a seed of its own is made as one to train, and kept as one to draw from. */
  async #drawn({ session, traits }: Opened, options: LoadOptions): Promise<Sampler> {
    const model = await this.createModel(options);
    const sampler = await model.snapshot();
    return new RemoteSampler({
      id: sampler.id,
      weightVersion: weightVersionOf(options.source),
      session,
      traits,
      tokenBytes: options.tokenBytes,
      vocabularySize: model.info.vocabularySize,
      release: async () => {
        await sampler[Symbol.asyncDispose]();
        await model[Symbol.asyncDispose]();
      },
    });
  }

  async #load({ session, traits }: Opened, { source, tokenBytes }: LoadOptions): Promise<Sampler> {
    const pointer = source.kind === "checkpoint" ? this.#pointer(source.path) : undefined;
    const folder = pointer?.folder ?? this.#folderOf(source.path);
    const { id, release } = await samplerOf(session, traits, pointer);
    return new RemoteSampler({
      id,
      weightVersion: weightVersionOf(source),
      session,
      traits,
      tokenBytes,
      vocabularySize: toldBy(folder).vocabularySize,
      release,
    });
  }

  /** Throws `session-lost`, and `checkpoint-missing` where the server does not have what a checkpoint's folder points to. */
  async #making<T>({ session }: Opened, { source }: LoadOptions, make: () => Promise<T>): Promise<T> {
    try {
      return await session.making(make);
    } catch (error) {
      const gone = isForgotten(error) || (isWhetstoneError(error) && error.code === "unknown-checkpoint");
      if (source.kind !== "checkpoint" || !gone) throw error;
      throw checkpointLost(this.#options.baseUrl, source.path, error);
    }
  }

  cost(): EngineCost {
    const nothing = { tokensSampled: 0, tokensTrained: 0, optimizerSteps: 0, tokensRead: 0 };
    const { tally = nothing, busySeconds = 0 } = this.#session ?? this.#lost ?? {};
    return {
      busySeconds,
      availableSeconds: (this.#options.clock.monotonic() - this.#openedAt) / 1000,
      ...tally,
    };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const opened = await this.#opening?.catch(() => undefined);
    await opened?.session.close();
  }
}

interface Made {
  readonly id: string;
  readonly folder: string;
  readonly step: number;
  /** Numbers that its server has taken for it. */
  readonly sent: number;
}

const modelsSchema = z.array(z.looseObject({ model_name: z.string() }));
/** By this a server of ours is told from one that answers everything with something. */
const ownSchema = z.looseObject({ engine: z.string(), device: z.string(), losses: z.array(z.string()) });
const ownOf = (said: unknown): EngineCapabilities | undefined =>
  ownSchema.safeParse(said).success ? (said as EngineCapabilities) : undefined;

/** What our own servers say of a model. */
const toldSchema = z.object({
  parameters: z.number(),
  vocabularySize: z.int().min(1),
  maxPositions: z.int().min(1).exactOptional(),
  lora: z
    .object({
      rank: z.int(),
      alpha: z.number(),
      modules: z.array(z.enum(loraModules)),
    })
    .exactOptional(),
  tolerance: z.object({ logprob: z.number(), meanLogprob: z.number(), gradient: z.number() }).exactOptional(),
});

/** Elsewhere the weights under adapters are given: no seed draws them, and there is no word for it. */
function loraConfig(lora: LoraOptions | undefined, seed: number | undefined, ours: boolean): object {
  if (lora === undefined) return { rank: 0, ...(seed === undefined ? {} : { seed }) };
  const { rank, alpha, modules = ["attention", "mlp"], seed: drawn = 0 } = lora;
  return {
    rank,
    seed: drawn,
    ...trainedParts(modules),
    ...(alpha === undefined ? {} : { alpha }),
    ...(ours && seed !== undefined ? { base_seed: seed } : {}),
  };
}
