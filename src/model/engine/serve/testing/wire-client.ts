import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Engine } from "../../../../foundation/contract/index.ts";
import { tabular } from "../../tabular/index.ts";
import { readPassOutput, readSamples, type WirePass, wireDatumOf, writePass } from "../../tinker/index.ts";
import { type ServeOptions, serveTinker, type TinkerServer } from "../serve.ts";

export const modelName = "org/tiny";
export const tinyFolder = join(import.meta.dirname, "../../../../../examples/models/tiny");

/** One HTTP answer, read. */
export interface Answer {
  readonly status: number;
  readonly body: Record<string, unknown>;
  readonly bytes: Uint8Array;
}

/** What a client sends, without any of the SDK's politeness. */
export class WireClient {
  readonly url: string;
  readonly key: string;
  session = "";

  constructor(url: string, key = "") {
    this.url = url;
    this.key = key;
  }

  async request(method: string, path: string, init: RequestInit = {}): Promise<Answer> {
    const headers = { "X-API-Key": this.key, "Content-Type": "application/json", ...init.headers };
    const response = await fetch(`${this.url}/api/v1/${path}`, { ...init, method, headers });
    const bytes = new Uint8Array(await response.arrayBuffer());
    const isJson = response.headers.get("content-type") === "application/json";
    return { status: response.status, body: isJson ? JSON.parse(Buffer.from(bytes).toString()) : {}, bytes };
  }

  post(path: string, body: unknown, signal?: AbortSignal): Promise<Answer> {
    return this.request("POST", path, { body: JSON.stringify(body), ...(signal && { signal }) });
  }

  postBytes(path: string, body: Uint8Array): Promise<Answer> {
    return this.request("POST", path, {
      body: body as Uint8Array<ArrayBuffer>,
      headers: { "Content-Type": "application/x-protobuf" },
    });
  }

  async open(): Promise<this> {
    const { body } = await this.post("create_session", { tags: [], user_metadata: null, sdk_version: "0" });
    this.session = String(body.session_id);
    return this;
  }

  /** The outcome of an operation, polled for as the SDK does. */
  async result({ status, body }: Answer): Promise<Answer> {
    if (status !== 200) return { status, body, bytes: new Uint8Array() };
    for (;;) {
      const answer = await this.post("retrieve_future", { request_id: body.request_id });
      if (answer.status !== 408) return answer;
    }
  }

  /** A model whose weights are all trained; its id. */
  async model(sequence = 0, more: object = {}): Promise<string> {
    const lora_config = { rank: 0 };
    const made = await this.post("create_model", {
      session_id: this.session,
      model_seq_id: sequence,
      base_model: modelName,
      lora_config,
      ...more,
    });
    return String((await this.result(made)).body.model_id);
  }

  submitPass(modelId: string, sequence: number, more: Partial<WirePass> = {}): Promise<Answer> {
    return this.postBytes("forward_backward", writePass({ ...plainPass, modelId, sequence, ...more }));
  }

  async pass(modelId: string, sequence: number, more: Partial<WirePass> = {}): Promise<Answer> {
    return this.result(await this.submitPass(modelId, sequence, more));
  }

  submitStep(modelId: string, sequence: number, learningRate = 0.1): Promise<Answer> {
    const adam_params = { learning_rate: learningRate };
    return this.post("optim_step", { model_id: modelId, seq_id: sequence, adam_params });
  }

  async step(modelId: string, sequence: number, learningRate = 0.1): Promise<Record<string, number>> {
    const { body } = await this.result(await this.submitStep(modelId, sequence, learningRate));
    return body.metrics as Record<string, number>;
  }

  /** Logprobs of the plain pass's targets. */
  async logprobs(modelId: string, sequence: number): Promise<number[]> {
    const { bytes } = await this.pass(modelId, sequence, { forwardOnly: true });
    return readPassOutput(bytes).logprobs.flatMap((values) => Array.from(values));
  }

  async sampler(sequence: number, of: object): Promise<string> {
    const { body } = await this.post("create_sampling_session", {
      session_id: this.session,
      sampling_session_seq_id: sequence,
      ...of,
    });
    return String(body.sampling_session_id);
  }

  async sample(sampler: string, sequence: number, more: Record<string, unknown> = {}) {
    const answer = await this.result(
      await this.post("asample", {
        sampling_session_id: sampler,
        seq_id: sequence,
        prompt: { chunks: [{ type: "encoded_text", tokens: [3, 4] }] },
        num_samples: 1,
        sampling_params: { max_tokens: 4, seed: 1, stop: [] },
        ...more,
      }),
    );
    return {
      answer,
      samples: answer.status === 200 && "error" in answer.body ? undefined : readSamples(answer.bytes),
    };
  }
}

/** Two examples under cross entropy. */
export const plainPass: WirePass = {
  modelId: "",
  sequence: 1,
  lossName: "cross_entropy",
  lossConfig: {},
  forwardOnly: false,
  data: [
    [3, 4, 5, 6],
    [7, 8, 9],
  ].map((text) =>
    wireDatumOf(
      {
        tokens: Int32Array.from(text.slice(0, -1)),
        targets: Int32Array.from(text.slice(1)),
        weights: new Float32Array(text.length - 1).fill(1),
      },
      { name: "cross_entropy" },
    ),
  ),
};

export interface Served extends AsyncDisposable {
  readonly server: TinkerServer;
  readonly engine: Engine;
  readonly folder: string;
  readonly faults: unknown[];
  readonly client: WireClient;
}

/** A server over the tabular engine, or what is made of it, with a client whose session is open. Its key is "k", if it is to have one. */
export async function served(
  { keyless = false, ...options }: Partial<ServeOptions> & { readonly keyless?: boolean } = {},
  around: (engine: Engine) => Engine = (engine) => engine,
): Promise<Served> {
  const folder = await mkdtemp(join(tmpdir(), "whetstone-serve-"));
  const inner = await tabular().open({ logFolder: folder });
  const engine = around(inner);
  const faults: unknown[] = [];
  const server = await serveTinker({
    engine,
    models: { [modelName]: tinyFolder },
    stateFolder: join(folder, "state"),
    ...(keyless ? {} : { key: "k" }),
    onFault: (error) => faults.push(error),
    ...options,
  });
  return {
    server,
    engine,
    folder,
    faults,
    client: await new WireClient(server.url, options.key ?? "k").open(),
    async [Symbol.asyncDispose]() {
      await server[Symbol.asyncDispose]();
      await inner[Symbol.asyncDispose]();
      await rm(folder, { recursive: true, force: true });
    },
  };
}
