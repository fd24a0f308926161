import { nearest, userError } from "../../../foundation/base/index.ts";
import type { EngineModel, LoraModule, LoraOptions } from "../../../foundation/contract/index.ts";
import { parseTinkerPath, requests } from "../tinker/index.ts";
import type { BaseModel } from "./base-model.ts";
import { type Handler, parseJson, readBody } from "./call.ts";
import type { CheckpointRecord } from "./catalogue.ts";
import { within } from "./futures.ts";
import { failed, findModel, noModel, submitJson } from "./operations.ts";
import { begunReply, jsonReply, type Reply, refusal } from "./reply.ts";
import { noSession } from "./service-handlers.ts";
import type { ServerState } from "./state.ts";
import { TrainedModel } from "./trained-model.ts";

interface NewModel {
  readonly sessionId: string;
  readonly modelSequence: number;
  readonly fingerprint: string;
  readonly base: BaseModel;
  readonly userMetadata: Readonly<Record<string, unknown>> | null;
  readonly load: () => Promise<EngineModel>;
  readonly reply: (id: string) => object;
}

/** The base model of a name. Throws a user error `unknown-model`. */
export function findBase({ bases }: ServerState, name: string): BaseModel {
  const base = bases.get(name);
  if (base !== undefined) return base;
  const meant = nearest(name, [...bases.keys()]);
  throw userError(
    "unknown-model",
    `This server has no model "${name.slice(0, 200)}"; ${
      meant === undefined ? `it has ${[...bases.keys()].join(", ")}.` : `did you mean "${meant}"?`
    }`,
  );
}

export const createModel: Handler = (state, call) => {
  const body = readBody("create_model", requests.createModel, call);
  const { session_id: sessionId, model_seq_id: modelSequence } = body;
  if (state.sessions.hear(sessionId) === undefined) return noSession(state, sessionId);
  try {
    const base = findBase(state, body.base_model);
    checkOptimizer(body.optimizer_config);
    const lora = loraOf(state, body.lora_config ?? undefined, base);
    const { seed, base_seed: baseSeed } = body.lora_config ?? {};
    const drawn = lora === undefined ? (seed ?? undefined) : baseSeed;
    return addModel(state, {
      sessionId,
      modelSequence,
      fingerprint: `create ${call.body.toString("utf8")}`,
      base,
      userMetadata: body.user_metadata ?? null,
      load: async () =>
        state.engine.createModel({
          source: base.source(drawn),
          ...(await state.loading(base)),
          ...(lora === undefined ? {} : { lora }),
        }),
      reply: (id) => ({ type: "create_model", model_id: id }),
    });
  } catch (error) {
    return failed(state, sessionId, error);
  }
};

/** Rank 0 trains all that a model has to train: its weights, or the adapters that it comes with. Throws user errors `unsupported` and `unsupported-rank`. */
function loraOf(
  { capabilities }: ServerState,
  config: requests.LoraConfig | undefined,
  { name, adapterRank }: BaseModel,
): LoraOptions | undefined {
  if (config === undefined) return undefined;
  const { rank, seed, alpha, base_seed: baseSeed } = config;
  if (rank !== 0 && adapterRank !== undefined)
    throw userError(
      "unsupported-rank",
      `${name} is adapters of rank ${adapterRank} already: ask for rank 0, which trains them on.`,
      { rank },
    );
  if (rank === 0) {
    const whole = config.train_attn && config.train_mlp && config.train_unembed;
    if (whole && alpha === undefined && baseSeed === undefined) return undefined;
    throw userError(
      "unsupported",
      "Rank 0 trains all weights: leave alpha and base_seed out and train_attn, train_mlp and train_unembed true, or ask for adapters of another rank.",
    );
  }
  if (!(config.train_attn || config.train_mlp || config.train_unembed))
    throw userError(
      "unsupported",
      "train_attn, train_mlp and train_unembed are all false, and adapters lie on at least one part of the model: name one.",
    );
  if (rank > capabilities.loraRank)
    throw userError(
      "unsupported-rank",
      capabilities.loraRank === 0
        ? `The engine of this server (${capabilities.engine}) has no adapters: ask for rank 0, which trains all weights.`
        : `Adapters of rank ${rank} are beyond this server's ${capabilities.loraRank}; rank 0 trains all weights.`,
      { rank },
    );
  const modules: LoraModule[] = [];
  if (config.train_attn) modules.push("attention");
  if (config.train_mlp) modules.push("mlp");
  if (config.train_unembed) modules.push("unembed");
  return {
    rank,
    modules,
    ...(seed == null ? {} : { seed }),
    ...(alpha === undefined ? {} : { alpha }),
  };
}

function checkOptimizer(config: { readonly type: string } | null | undefined): void {
  if (config == null || ["adamw", "sgd"].includes(config.type)) return;
  throw userError("unknown-optimizer", `There is no optimizer "${config.type}"; this server has adamw.`);
}

function addModel(state: ServerState, made: NewModel): Reply {
  const { sessionId, modelSequence, fingerprint, base, userMetadata, load, reply } = made;
  const id = `${sessionId}:train:${modelSequence}`;
  const requestId = `${id}:0`;
  const known = state.futures.fingerprint(requestId);
  if (known === fingerprint) return begunReply(requestId);
  if (known !== undefined || state.models.has(id))
    return failed(
      state,
      sessionId,
      userError("sequence-conflict", `The model ${id} was made by another request already.`),
    );
  const { clock, times, attended } = state;
  const gapMs = times.gap;
  const now = () => clock.now();
  const model = new TrainedModel({ id, sessionId, base, userMetadata, load, attended, gapMs, now });
  state.models.set(id, model);
  state.sessions.hear(sessionId)?.modelIds.add(id);
  state.futures.begin(requestId, sessionId, fingerprint, async () => {
    await model.info();
    return jsonReply(reply(id));
  });
  return begunReply(requestId);
}

export const getInfo: Handler = async (state, call) => {
  const { model_id: id } = readBody("get_info", requests.ofModel, call);
  const model = findModel(state, id);
  if (model === undefined) return noModel(state, id);
  const { base } = model;
  // It is asked for once a model has been made; who asks before must not wait for a load of many minutes in silence.
  const info = await within(model.info(), state.times.poll, call.signal);
  if (info === "pending")
    return refusal(userError("still-loading", `The model ${id} is still being loaded: ask again.`), 408);
  const { lora } = info;
  const tokenizer =
    state.sameMachine && base.hasTokenizer ? { tokenizer_id: asTokenizerId(base.folder) } : {};
  return jsonReply({
    type: "get_info",
    model_id: id,
    model_data: { arch: base.architecture ?? null, model_name: base.name, ...tokenizer },
    is_lora: lora !== undefined,
    lora_rank: lora?.rank ?? null,
    model_name: base.name,
    optimizer_config: { type: "adamw" },
    // Ours, for clients that have no folder of the model.
    whetstone: info,
  });
};

/** The SDK takes a name with exactly two slashes for `org/model/variant`, and cuts it. */
const asTokenizerId = (folder: string): string =>
  folder.split("/").length === 3 ? folder.replace(/\/([^/]*)$/, "/./$1") : folder;

/** Makes a model from a checkpoint; or gives one that there is other weights, as SDKs of before 0.38 ask for it. */
export const loadWeights: Handler = (state, call) => {
  if (requests.numbered.safeParse(parseJson(call)).success) return replaceWeights(state, call);
  const body = readBody("load_weights", requests.loadWeights, call);
  const { session_id: sessionId, model_seq_id: modelSequence } = body;
  if (sessionId == null || modelSequence == null)
    return refusal(userError("invalid-option", "load_weights: a session and a model's number are needed."));
  if (state.sessions.hear(sessionId) === undefined) return noSession(state, sessionId);
  try {
    const { record } = state.catalogue.find(body.path);
    checkOptimizer(body.optimizer_config);
    if (body.base_model != null) checkBase(record, body.base_model);
    const base = findBase(state, record.baseModel);
    return addModel(state, {
      sessionId,
      modelSequence,
      fingerprint: `load ${call.body.toString("utf8")}`,
      base,
      userMetadata: body.user_metadata ?? null,
      load: () => loadCheckpoint(state, base, body.path, body.optimizer),
      reply: (id) => ({ type: "load_weights", path: body.path, model_id: id }),
    });
  } catch (error) {
    return failed(state, sessionId, error);
  }
};

/** Throws a user error `wrong-base`. */
function checkBase({ path, baseModel }: CheckpointRecord, wanted: string): void {
  if (baseModel !== wanted)
    throw userError("wrong-base", `${path} is of ${baseModel}, and not of ${wanted}.`);
}

async function loadCheckpoint(
  state: ServerState,
  base: BaseModel,
  path: string,
  optimizer: boolean,
): Promise<EngineModel> {
  using held = state.catalogue.hold(path);
  return await state.engine.createModel({
    source: { kind: "checkpoint", path: held.folder, optimizer },
    ...(await state.loading(base)),
  });
}

const replaceWeights: Handler = (state, call) =>
  submitJson(
    state,
    call,
    { name: "load_weights", schema: requests.reloadWeights },
    ({ path, optimizer }) =>
      async (_, model) => {
        checkBase(state.catalogue.find(path).record, model.base.name);
        await model.replace(() => loadCheckpoint(state, model.base, path, optimizer));
        return jsonReply({ type: "load_weights", path, model_id: model.id });
      },
  );

export const unloadModel: Handler = async (state, call) => {
  const { model_id: id } = readBody("unload_model", requests.ofModel, call);
  const requestId = `${id}:unload`;
  const model = findModel(state, id);
  if (model === undefined)
    return state.futures.fingerprint(requestId) === undefined ? noModel(state, id) : begunReply(requestId);
  state.futures.begin(requestId, model.sessionId, "unload", async () => {
    await state.unload(id, userError("model-gone", `The model ${id} was given back.`));
    return jsonReply({ type: "unload_model", model_id: id });
  });
  return begunReply(requestId);
};

export const weightsInfo: Handler = (state, call) => {
  const { tinker_path: path } = readBody("weights_info", requests.weightsInfo, call);
  parseTinkerPath(path);
  const { lora, baseModel } = state.catalogue.find(path).record;
  return jsonReply({
    base_model: baseModel,
    is_lora: lora !== null,
    lora_rank: lora?.rank ?? null,
    train_attn: lora?.modules.includes("attention") ?? null,
    train_mlp: lora?.modules.includes("mlp") ?? null,
    train_unembed: lora?.modules.includes("unembed") ?? null,
    optimizer_config: { type: "adamw" },
  });
};
