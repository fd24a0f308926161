import { mkdtempSync } from "node:fs";
import { rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Item, Verdict, Verifier } from "../../../../../foundation/contract/index.ts";
import { itemOf } from "../../../items.ts";
import { reverse } from "../../../reverse.ts";
import { type CommandOptions, command } from "../../command.ts";

export const item: Item = {
  ...itemOf(reverse(), { prompt: "123=", difficulty: 3 }),
  answer: "321",
  stratum: "kind 1",
};
/** JavaScript that defines `reply`. */
export const reply = `const reply = (value) => process.stdout.write(JSON.stringify(value) + "\\n");`;
/** JavaScript that answers the request `r` rightly. */
export const equal = "reply({ id: r.id, score: r.response === r.answer });";

export const ask = async (verifier: Verifier, text = "321"): Promise<Verdict> =>
  await verifier.verify(item, { text, complete: true });
export const score = (value: number): Verdict => ({ outcome: "scored", score: value });

/** Commands for tests, in a folder of their own. */
export class Commands implements AsyncDisposable {
  readonly folder = mkdtempSync(join(tmpdir(), "whetstone-command-"));
  readonly #open: Verifier[] = [];

  /** A verifier whose process runs this for each request `r`. */
  verifierOf(onRequest: string, options: Partial<CommandOptions> = {}, onStart = ""): Verifier {
    const script = `${reply} ${onStart}
    require("node:readline").createInterface({ input: process.stdin }).on("line", (line) => { const r = JSON.parse(line); ${onRequest} });`;
    return this.opened({ command: [process.execPath, "-e", script], ...options });
  }

  opened(options: CommandOptions): Verifier {
    return this.toClose(command({ cwd: this.folder, ...options }));
  }

  toClose(verifier: Verifier): Verifier {
    this.#open.push(verifier);
    return verifier;
  }

  async close(): Promise<void> {
    for (const verifier of this.#open.splice(0)) await verifier.close?.();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
    await rm(this.folder, { recursive: true, force: true });
  }
}
