import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Engine } from "../../../../foundation/contract/index.ts";
import { local } from "../index.ts";

/** A folder and an engine, as `local()` opens it, while a file's tests run. */
export class EngineHome {
  folder = "";
  engine!: Engine;
  readonly open: () => Promise<Engine>;

  constructor(options: Parameters<typeof local>[0] = { workers: 2 }) {
    this.open = () => local(options).open({ logFolder: join(this.folder, "logs") });
  }

  /** Before a file's tests; the engine may have to be installed first. */
  async begin(): Promise<void> {
    this.folder = await mkdtemp(join(tmpdir(), "whetstone-engine-"));
    this.engine = await this.open();
  }

  /** After them. */
  async end(): Promise<void> {
    await this.engine[Symbol.asyncDispose]();
    await rm(this.folder, { recursive: true });
  }

  /** A folder with a model's config and no weights. */
  async model(name: string, config: object): Promise<string> {
    const path = join(this.folder, name);
    await mkdir(path);
    await writeFile(join(path, "config.json"), JSON.stringify(config));
    return path;
  }
}
