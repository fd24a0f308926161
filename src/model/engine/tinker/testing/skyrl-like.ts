import { createServer, type IncomingMessage } from "node:http";
import type { AddressInfo } from "node:net";
import {
  readPass,
  readPassOutput,
  type WirePass,
  writePass,
  writePassOutput,
} from "../wire/forward-backward.ts";
import { readSamples, writeSamples } from "../wire/sample-response.ts";
import { floatsOf, floatTensor, tokenTensor, type WireTensor } from "../wire/tensor.ts";

export interface SkyrlLikeOptions {
  /** The server behind it, which conforms. */
  readonly inner: { readonly url: string; readonly key: string };
  /** Knows no protobuf, as versions of before SDK 0.25. */
  readonly jsonOnly?: boolean;
  /** Rescales weights as SkyRL does; false to have its dialect alone. Default true. */
  readonly rescales?: boolean;
  /** Leaves `grad_clip_norm` out, as SkyRL does. Default true. */
  readonly ignoresClip?: boolean;
  /** Leaves these out, which SkyRL takes. Default false. */
  readonly ignoresDecay?: boolean;
  readonly ignoresBetas?: boolean;
  /** Knows no mask of gspo's ratio. Default false. */
  readonly ignoresMask?: boolean;
  readonly ignoresTopK?: boolean;
  readonly ignoresTopP?: boolean;
  /** Loads moments whether `optimizer` is true or false. Default false. */
  readonly keepsMoments?: boolean;
  /** Tells the norm of a step's gradient, as SkyRL does by a name of its own. Default true. */
  readonly tellsNorm?: boolean;
  /** Knows which parts of a model its adapters are on, and tells; SkyRL does not. Default false. */
  readonly keepsModules?: boolean;
  /** A model has one place for its weights, which named checkpoints to sample from share, as in SkyRL. Default true. */
  readonly sharesPlace?: boolean;
  /** Samples from the base model whatever checkpoint is asked for, so that nothing can be relied on. */
  readonly baseOnly?: boolean;
}

export interface SkyrlLike extends AsyncDisposable {
  readonly url: string;
  /** `METHOD path` of each request, in order. */
  readonly requests: readonly string[];
}

type Json = Record<string, unknown>;

interface State {
  /** Which parts of a model its adapters are on. */
  readonly parts: Json;
  /** Paths that are being saved to sample from, by the operation that does it; then by the sampler that is there instead. */
  readonly saving: Map<string, string>;
  readonly samplers: Map<string, string>;
  /** The numbers of a model's calls behind this server, which makes some of its own between those it is asked for. */
  readonly numbers: Map<string, Map<number, number>>;
}

type Behind = SkyrlLikeOptions & State;

interface Answered {
  readonly status: number;
  readonly body: Json | Uint8Array;
}

const prefix = "/api/v1/";
/** Above what a client counts to. */
const firstOfItsOwn = 1_000_000;
const refused = (status: number, detail: unknown): Answered => ({ status, body: { detail } });

/**
 * A server with the defects and the dialect of SkyRL's (SDK 0.25), put in front of one of ours: a sequence's loss is divided
 * by the sum of its weights and averaged over sequences, no clipping, no loss, a norm by a name of its own, no
 * `sample_sequence_ids`, prompt logprobs one short, seeds of 31 bits, samplers that learn with their model, checkpoints that are
 * loaded into a model that there is, adapters only, operations that fail as HTTP 400, and no word about its engine.
 */
export async function skyrlLike(options: SkyrlLikeOptions): Promise<SkyrlLike> {
  const requests: string[] = [];
  const state: State = { parts: {}, saving: new Map(), samplers: new Map(), numbers: new Map() };
  const server = createServer((request, response) => {
    void (async () => {
      const raw = await bodyOf(request);
      const path = (request.url ?? "").slice(prefix.length);
      requests.push(`${request.method} ${path}`);
      const { status, body } = await answer({ ...options, ...state }, request, path, raw);
      const isJson = !(body instanceof Uint8Array);
      response.writeHead(status, { "content-type": isJson ? "application/json" : "application/x-protobuf" });
      response.end(isJson ? JSON.stringify(body) : body);
    })().catch((error: unknown) => response.writeHead(500).end(String(error)));
  }).listen(0, "127.0.0.1");
  await new Promise((resolve) => server.once("listening", resolve));
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    requests,
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

async function bodyOf(request: IncomingMessage): Promise<Buffer> {
  const parts: Buffer[] = [];
  for await (const part of request) parts.push(part as Buffer);
  return Buffer.concat(parts);
}

async function answer(
  options: Behind,
  request: IncomingMessage,
  path: string,
  raw: Buffer,
): Promise<Answered> {
  const { jsonOnly = false, rescales = true, sharesPlace = true, baseOnly = false } = options;
  const { ignoresClip = true, keepsMoments = false, keepsModules = false, tellsNorm = true } = options;
  const { parts, saving, samplers } = options;
  const json = (): Json => JSON.parse(raw.toString("utf8")) as Json;
  const isProto = request.headers["content-type"] === "application/x-protobuf";
  const pass = (body: Json | Uint8Array, at = path): Promise<Answered> =>
    forward(options, request.method ?? "GET", at, body);
  if (path.startsWith("whetstone/") || path === "client/dynamic_config") return refused(404, "Not Found");
  switch (path) {
    case "get_server_capabilities": {
      const { body } = await pass({});
      const models = (body as { supported_models: { model_name: string }[] }).supported_models;
      const losses = ["cispo", "cross_entropy", "gspo", "importance_sampling", "ppo"];
      return {
        status: 200,
        body: {
          supported_models: models.map(({ model_name }) => ({ model_name })),
          supported_loss_fns: losses,
        },
      };
    }
    case "create_model": {
      const { lora_config: config, ...rest } = json();
      const { rank, seed: _, ...told } = config as { rank: number; seed?: number };
      if (keepsModules) Object.assign(parts, told);
      if (rank < 1) return refused(400, "LoRA rank must be at least 1");
      return await pass({ ...rest, lora_config: { rank: 0 } });
    }
    case "get_info": {
      const { body } = await pass(json());
      const { whetstone: _, ...plain } = body as Json;
      return { status: 200, body: plain };
    }
    case "weights_info": {
      const { status, body } = await pass(json());
      return { status, body: { ...body, is_lora: true, lora_rank: 4, ...parts } };
    }
    case "load_weights":
      if (json().model_id === undefined)
        return refused(422, [{ type: "missing", loc: ["body", "model_id"], msg: "Field required" }]);
      return await pass(renumbered(options, keepsMoments ? { ...json(), optimizer: true } : json()));
    case "optim_step": {
      const { adam_params: adam, ...rest } = json();
      const { grad_clip_norm: clip, weight_decay: decay, beta1, beta2, ...known } = adam as Json;
      const heeded = {
        ...(ignoresClip ? {} : { grad_clip_norm: clip }),
        ...(options.ignoresDecay === true ? {} : { weight_decay: decay }),
        ...(options.ignoresBetas === true ? { beta1: 0.9, beta2: 0.95 } : { beta1, beta2 }),
      };
      const begun = await pass(renumbered(options, { ...rest, adam_params: { ...known, ...heeded } }));
      await renewPlace(options, String(rest.model_id));
      return begun;
    }
    case "save_weights":
      return await pass(renumbered(options, json()));
    case "forward":
    case "forward_backward": {
      if (isProto && jsonOnly) return refused(415, "Unsupported content type");
      const read = isProto ? readPass(raw) : passOfJson(json(), path === "forward");
      const heeded = options.ignoresMask === true ? withoutMask(read) : read;
      const sequence = numberOf(options, read.modelId, read.sequence);
      return await pass(
        writePass({ ...(rescales ? rescaled(heeded) : heeded), sequence }),
        "forward_backward",
      );
    }
    case "save_weights_for_sampler": {
      const body = renumbered(options, json());
      if (body.path === undefined) return await pass({ ...body, kind: "inflight" });
      if (!sharesPlace) return await pass(body);
      const { path: name, ...rest } = body;
      const begun = await pass({ ...rest, ...placeOf(options) });
      const { request_id: id } = begun.body as Json;
      saving.set(String(id), `tinker://${String(body.model_id)}/sampler_weights/${String(name)}`);
      return begun;
    }
    case "create_sampling_session": {
      const body = json();
      const model = String(body.model_path ?? "");
      if (model.includes("/weights/")) return refused(400, "model_path must be …/sampler_weights/…");
      const id = samplers.get(model);
      if (baseOnly && model !== "") return await ofBase(options, body, model);
      return id === undefined ? await pass(body) : { status: 200, body: { sampling_session_id: id } };
    }
    case "asample": {
      const body = json();
      const { top_k: topK, top_p: topP, ...known } = body.sampling_params as Json;
      if (typeof known.stop === "string") return refused(422, "stop: not a list");
      if (Number(known.seed) + Number(body.num_samples) > 2 ** 31)
        return refused(400, `Python integer ${String(known.seed)} out of bounds for int32`);
      const heeded = {
        ...(options.ignoresTopK === true ? {} : { top_k: topK }),
        ...(options.ignoresTopP === true ? {} : { top_p: topP }),
      };
      const begun = await pass({ ...body, sampling_params: { ...known, ...heeded } });
      if (begun.status !== 200) return begun;
      return { status: 200, body: { request_id: (begun.body as Json).request_id } };
    }
    case "retrieve_future": {
      const asked = json();
      const { status, body } = await pass(asked);
      if (body instanceof Uint8Array) return { status, body: shortened(body, jsonOnly) };
      if ("error" in body) return refused(400, body.error);
      const path = saving.get(String(asked.request_id));
      if (path !== undefined && "sampling_session_id" in body) {
        samplers.set(path, String(body.sampling_session_id));
        return { status, body: { path } };
      }
      const norm = (body.metrics as Json | undefined)?.["grad_norm:mean"];
      const metrics = tellsNorm && norm !== undefined ? { "skyrl.ai/grad_norm": norm } : null;
      return { status, body: "metrics" in body ? { ...body, metrics } : body };
    }
    default:
      return await pass(raw.length === 0 ? {} : json());
  }
}

/** The number behind this server of a model's call: the next one, or the one that it had when it was made before. */
function numberOf({ numbers }: State, model: string, asked: number): number {
  const given = numbers.get(model) ?? new Map<number, number>();
  numbers.set(model, given);
  const number = given.get(asked) ?? given.size + 1;
  given.set(asked, number);
  return number;
}

const renumbered = (state: State, body: Json): Json =>
  body.model_id === undefined
    ? body
    : { ...body, seq_id: numberOf(state, String(body.model_id), Number(body.seq_id)) };

/** What asks for a model's one place, as a sampler under a number of its own. */
const placeOf = ({ numbers }: State) => ({
  kind: "inflight",
  sampling_session_seq_id: firstOfItsOwn + [...numbers.values()].reduce((sum, given) => sum + given.size, 0),
});

/** What is sampled from a model's place has learnt what the model has. */
async function renewPlace(options: Behind, model: string): Promise<void> {
  const saved = [...options.saving.values()].some((path) => path.startsWith(`tinker://${model}/`));
  if (!saved) return;
  const given = options.numbers.get(model);
  const own = -(given?.size ?? 0) - 1;
  const body = { model_id: model, seq_id: numberOf(options, model, own), ...placeOf(options) };
  const begun = await forward(options, "POST", "save_weights_for_sampler", body);
  const { request_id } = begun.body as Json;
  for (let done = false; !done; ) {
    const { status } = await forward(options, "POST", "retrieve_future", { request_id });
    done = status !== 408;
  }
}

async function forward(
  { inner }: SkyrlLikeOptions,
  method: string,
  path: string,
  body: Json | Uint8Array,
): Promise<Answered> {
  const isJson = !(body instanceof Uint8Array);
  const response = await fetch(inner.url + prefix + path, {
    method,
    headers: {
      "x-api-key": inner.key,
      "content-type": isJson ? "application/json" : "application/x-protobuf",
    },
    ...(method === "POST" ? { body: isJson ? JSON.stringify(body) : Buffer.from(body) } : {}),
  });
  const bytes = Buffer.from(await response.arrayBuffer());
  const isProto = response.headers.get("content-type") === "application/x-protobuf";
  return { status: response.status, body: isProto ? bytes : (JSON.parse(bytes.toString("utf8")) as Json) };
}

/** The base model in the place of weights that were saved. */
async function ofBase(options: SkyrlLikeOptions, body: Json, path: string): Promise<Answered> {
  const [modelId = ""] = path.replace("tinker://", "").split("/");
  const base = await forward(options, "POST", "get_info", { model_id: modelId });
  const { model_name } = base.body as { model_name: string };
  const { model_path: _, ...rest } = body;
  return await forward(options, "POST", "create_sampling_session", { ...rest, base_model: model_name });
}

/** Each sequence's weights over their sum, at least 1e-9, and over the number of sequences. */
function rescaled(pass: WirePass): WirePass {
  const data = pass.data.map((datum) => {
    const inputs = new Map(datum.inputs);
    const name = pass.lossName === "cross_entropy" ? "weights" : "advantages";
    const given = inputs.get(name);
    if (given === undefined) return datum;
    const values = floatsOf(given, name);
    const whole = name === "weights" ? values.reduce((sum, weight) => sum + weight, 0) : values.length;
    inputs.set(name, floatTensor(values.map((value) => value / Math.max(whole, 1e-9) / pass.data.length)));
    return { ...datum, inputs };
  });
  return { ...pass, data };
}

function withoutMask(pass: WirePass): WirePass {
  const data = pass.data.map((datum) => {
    const inputs = new Map(datum.inputs);
    inputs.delete("sequence_ratio_mask");
    return { ...datum, inputs };
  });
  return { ...pass, data };
}

interface JsonDatum {
  readonly model_input: { readonly chunks: readonly { readonly tokens: readonly number[] }[] };
  readonly loss_fn_inputs: Readonly<Record<string, { readonly data: readonly number[] }>>;
}

function passOfJson(body: Json, forwardOnly: boolean): WirePass {
  const input = (forwardOnly ? body.forward_input : body.forward_backward_input) as {
    readonly data: readonly JsonDatum[];
    readonly loss_fn: string;
    readonly loss_fn_config?: Readonly<Record<string, number>>;
  };
  const tensorOf = (name: string, data: readonly number[]): WireTensor =>
    name === "target_tokens" ? tokenTensor(Int32Array.from(data)) : floatTensor(Float32Array.from(data));
  return {
    modelId: String(body.model_id),
    sequence: Number(body.seq_id),
    lossName: input.loss_fn,
    lossConfig: input.loss_fn_config ?? {},
    forwardOnly,
    data: input.data.map(({ model_input, loss_fn_inputs }) => ({
      chunks: model_input.chunks.map(({ tokens }) => ({ kind: "tokens", tokens: Int32Array.from(tokens) })),
      inputs: new Map(
        Object.entries(loss_fn_inputs).map(([name, { data }]) => [name, tensorOf(name, data)] as const),
      ),
    })),
  };
}

/** What a pass or a draw gave, without what SkyRL does not give; in JSON where it has nothing else. */
function shortened(bytes: Uint8Array, asJson: boolean): Json | Uint8Array {
  const isPass = bytes[0] === 0x0a && Buffer.from(bytes.subarray(2, 13)).toString() === "ArrayRecord";
  if (isPass) {
    const { logprobs } = readPassOutput(bytes);
    if (!asJson) return writePassOutput({ metrics: {}, logprobs });
    const outputs = logprobs.map((values) => ({
      logprobs: { data: Array.from(values), dtype: "float32", shape: [values.length] },
    }));
    return { loss_fn_output_type: "scalar", loss_fn_outputs: outputs, metrics: {} };
  }
  const { sequences, promptLogprobs, topPromptLogprobs } = readSamples(bytes);
  const prompt = promptLogprobs?.subarray(1);
  if (!asJson)
    return writeSamples({
      sequences,
      ...(prompt && { promptLogprobs: prompt }),
      ...(topPromptLogprobs && { topPromptLogprobs }),
    });
  return {
    sequences: sequences.map(({ tokens, logprobs, stopReason }) => ({
      tokens: Array.from(tokens),
      logprobs: Array.from(logprobs),
      stop_reason: stopReason,
    })),
    prompt_logprobs: prompt === undefined ? null : Array.from(prompt),
  };
}
