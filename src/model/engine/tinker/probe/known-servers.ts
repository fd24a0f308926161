import { mkdir, readFile, rename, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { hashOf } from "../../../../foundation/base/index.ts";
import type { ServerIdentity } from "../tinker-engine.ts";
import { type Findings, findingsSchema } from "./findings.ts";

/** Of the probe itself: findings of another one are not used. */
const version = 6;

/** What was found out about servers, a file each, by what they say of themselves. */
export class KnownServers {
  readonly #folder: string;

  constructor(folder: string) {
    this.#folder = folder;
  }

  #pathOf({ baseUrl, model, says }: ServerIdentity): string {
    return join(this.#folder, `${hashOf({ version, baseUrl, model, says }).slice(0, 32)}.json`);
  }

  /** Undefined where the server was never probed, or the file is no use. */
  async find(server: ServerIdentity): Promise<Findings | undefined> {
    try {
      return findingsSchema.parse(JSON.parse(await readFile(this.#pathOf(server), "utf8")));
    } catch {
      return undefined;
    }
  }

  /** A cache that cannot be written costs a probe more, and no run. */
  async keep(server: ServerIdentity, findings: Findings): Promise<void> {
    const path = this.#pathOf(server);
    try {
      await mkdir(this.#folder, { recursive: true });
      await writeFile(`${path}.${process.pid}`, `${JSON.stringify(findings, null, 2)}\n`);
      await rename(`${path}.${process.pid}`, path);
    } catch {
      // Found out again next time.
    }
  }
}
