import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { createInterface } from "node:readline";
import type { TokenIds } from "../../../foundation/contract/index.ts";
import { engineError } from "../engine-error.ts";
import type { Environment } from "./cache-folder.ts";
import { type Installation, packageFolder } from "./installation.ts";
import { workerEnvironment } from "./worker.ts";

export interface TransformersReferenceOptions extends Pick<Installation, "python"> {
  /** The folder of transformers and what it needs. */
  readonly packages: string;
  readonly environment: Environment;
}

interface Asked {
  readonly folder: string;
  readonly sequences: readonly TokenIds[];
  readonly rounded: boolean;
}

interface Running {
  readonly child: ChildProcess;
  readonly lines: AsyncIterator<string>;
  readonly said: () => string;
}

/**
 * What transformers computes, in a process of its own beside the engine's workers: started when it is first asked, one request
 * after the other.
 */
export class TransformersReference implements AsyncDisposable {
  readonly #options: TransformersReferenceOptions;
  #running: Running | undefined;

  constructor(options: TransformersReferenceOptions) {
    this.#options = options;
  }

  /**
   * Of each sequence the log probability of every token of the vocabulary after each of its tokens, [positions · vocabulary], in
   * fp32, of a folder's weights as they lie or rounded to bf16. Throws an engine error `reference-failed`.
   */
  async logprobs({ folder, sequences, rounded }: Asked): Promise<readonly Float32Array[]> {
    this.#running ??= start(this.#options);
    const { child, lines, said } = this.#running;
    const asked = { folder, sequences: sequences.map((one) => Array.from(one)), rounded };
    child.stdin?.write(`${JSON.stringify(asked)}\n`);
    const { value, done } = await lines.next();
    if (done) throw engineError("reference-failed", `The process of transformers ended: ${said()}`);
    const answer = JSON.parse(value) as { readonly logprobs?: number[][]; readonly error?: string };
    if (answer.logprobs === undefined)
      throw engineError("reference-failed", `transformers refused ${folder}: ${answer.error}`);
    return answer.logprobs.map((one) => Float32Array.from(one));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const { child } = this.#running ?? {};
    if (child === undefined || child.exitCode !== null || child.signalCode !== null) return;
    const gone = once(child, "close");
    child.kill("SIGKILL");
    await gone;
  }
}

function start({ python, packages, environment }: TransformersReferenceOptions): Running {
  const child = spawn(python, ["-m", "whetstone_engine.plain.reference", packages], {
    env: workerEnvironment(environment, packageFolder, 1),
    stdio: ["pipe", "pipe", "pipe"],
  });
  let errors = "";
  child.on("error", (error) => {
    errors = error.message;
  });
  // Writing to one that died fails; what it said before is what is told.
  child.stdin.on("error", () => undefined);
  child.stderr.on("data", (piece: Buffer) => {
    errors = (errors + piece.toString()).slice(-2000);
  });
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
  return { child, lines, said: () => errors };
}
