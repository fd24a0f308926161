import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Engine } from "../src/foundation/contract/index.ts";
import { serveTinker, type TinkerServer } from "../src/model/engine/serve/index.ts";
import { modelName, tinyFolder } from "../src/model/engine/serve/testing/wire-client.ts";
import { tabular } from "../src/model/engine/tabular/index.ts";

/** A server that can be ended and started again at the same address, with another engine behind it each time. */
export class Restarting implements AsyncDisposable {
  readonly folder: string;
  #port = 0;
  #engine: Engine | undefined;
  #server: TinkerServer | undefined;

  readonly #model: string;

  /** `model` is the folder of the model that it serves. */
  constructor(folder: string, model: string) {
    this.folder = folder;
    this.#model = model;
  }

  static async begin({ model = tinyFolder }: { readonly model?: string } = {}): Promise<Restarting> {
    const one = new Restarting(await mkdtemp(join(tmpdir(), "restarting-")), model);
    await one.start();
    return one;
  }

  get url(): string {
    return this.#server?.url ?? "";
  }

  async start(state = "state"): Promise<void> {
    this.#engine = await tabular().open({ logFolder: this.folder });
    this.#server = await serveTinker({
      engine: this.#engine,
      models: { [modelName]: this.#model },
      stateFolder: join(this.folder, state),
      port: this.#port,
    });
    this.#port = Number(new URL(this.url).port);
  }

  async end(): Promise<void> {
    await this.#server?.[Symbol.asyncDispose]();
    await this.#engine?.[Symbol.asyncDispose]();
  }

  async again(state?: string): Promise<void> {
    await this.end();
    await this.start(state);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.end();
    await rm(this.folder, { recursive: true, force: true });
  }
}
