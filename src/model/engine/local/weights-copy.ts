import { mkdtempSync } from "node:fs";
import { rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { LoadOptions } from "../../../foundation/contract/index.ts";
import { loadOn } from "./load-on.ts";
import type { Worker } from "./worker.ts";

export interface WeightsCopyOptions {
  /** Which weights, and on which worker. */
  readonly model: string;
  readonly from: Worker;
  readonly to: readonly Worker[];
  readonly loaded: Pick<LoadOptions, "precision" | "tokenBytes">;
}

/** A model's weights as they are when this is made, for workers that have nothing else to do. */
export class WeightsCopy implements AsyncDisposable {
  readonly #folder = mkdtempSync(join(tmpdir(), "whetstone-copy-"));
  readonly #options: WeightsCopyOptions;
  readonly #written: Promise<unknown>;

  /** Asks for the copy at once, so that no later step is in it. */
  constructor(options: WeightsCopyOptions) {
    this.#options = options;
    this.#written = options.from.call("copy", { model: options.model, path: this.#path });
    this.#written.catch(() => undefined);
  }

  get #path(): string {
    return join(this.#folder, "weights");
  }

  /** The workers that hold the copy now. It is worth nothing but time: who cannot take it goes without. */
  async loadAs(sampler: string): Promise<readonly Worker[]> {
    const { to, loaded } = this.#options;
    const source = { kind: "checkpoint", path: this.#path, optimizer: false } as const;
    const loads = await Promise.allSettled(
      to.map(async (worker) => {
        await this.#written;
        await loadOn(worker, "load_sampler", { sampler }, { ...loaded, source });
      }),
    );
    return to.filter((_, index) => loads[index]?.status === "fulfilled");
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#written.catch(() => undefined);
    await rm(this.#folder, { recursive: true, force: true });
  }
}
