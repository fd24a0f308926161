import { createHash } from "node:crypto";
import { readFileSync, statSync } from "node:fs";
import { dirname, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { z } from "zod";
import { readOptions } from "../../../foundation/base/index.ts";
import type { Item, Response, Verifier } from "../../../foundation/contract/index.ts";
import type { Program } from "./command/program.ts";
import { RequestQueue } from "./command/request-queue.ts";
import { canariesOfOwn, type OwnCanary, ownCanariesSchema } from "./own-canaries.ts";
import { wrong } from "./verdicts.ts";

const place = z.union([z.string(), z.instanceof(URL)]);
const milliseconds = z
  .number()
  .int()
  .min(1)
  .max(2 ** 31 - 1);
const options = z.strictObject({
  command: z.array(place).min(1).readonly(),
  cwd: place.optional(),
  timeoutMs: milliseconds.default(10_000),
  startTimeoutMs: milliseconds.default(60_000),
  restarts: z.number().int().min(0).max(100).default(3),
  workers: z.number().int().min(1).max(64).default(1),
  window: z.number().int().min(1).max(1024).default(16),
  name: z.string().min(1).default("command"),
  version: z.number().int().min(1).default(1),
  canaries: ownCanariesSchema.optional(),
});

export interface CommandOptions {
  /** Program and arguments, given to no shell. A file may be a URL: `new URL("./verify.py", import.meta.url)`. */
  readonly command: readonly (string | URL)[];
  /** Where it runs and relative paths begin: a folder, or the file in it that says so (`import.meta.url`). The run's folder if left out. */
  readonly cwd?: string | URL;
  /** For one answer; 10,000 if left out. A request that takes longer is void, and the process is started again. */
  readonly timeoutMs?: number;
  /** For the first answer of a process, which may have much to import; 60,000 if left out. */
  readonly startTimeoutMs?: number;
  /** How often in a row it is started again without an answer between; then the run ends with `verifier-failed`. 3 if left out. */
  readonly restarts?: number;
  /** Processes at a time; 1 if left out. */
  readonly workers?: number;
  /** Requests that a process may have before it answers them, in any order; 16 if left out. */
  readonly window?: number;
  readonly name?: string;
  /** Raise it when what the command does changes elsewhere than in the files that `command` names, which are noticed. */
  readonly version?: number;
  /** In place of those made from the items' answers: at least one right response and two wrong ones. */
  readonly canaries?: readonly OwnCanary[];
}

/**
 * A verifier of your own in any language: a process that is kept alive, reads one request a line, `{"id", "prompt", "messages"?,
 * "answer"?, "response", "complete", "kind"}`, and writes one reply a line, `{"id", "score": 0..1 | true | false, "parts"?}` or
 * `{"id", "void": "reason"}` (docs/verifiers.md). It runs as you, with all that you may do: give it only to a command that you trust,
 * and let it not execute what a model wrote. It ends when its input ends, with `close()`, and with this process, however that ends.
 * Throws `invalid-option`; `verifier-failed` (environment) from `verify` when the command cannot be started or does not answer.
 *
 * @example
 * const script = "for line in sys.stdin: r = json.loads(line); print(json.dumps({'id': r['id'], 'score': r['response'] == r['answer']}))";
 * const verifier = command({ command: ["python3", "-c", `import json, sys\n${script}`], timeoutMs: 5000 });
 * await verifier.close?.();
 */
export function command(given: CommandOptions): Verifier {
  const { name, version, canaries, cwd, ...limits } = readOptions("command()", options, given);
  let folder = cwd === undefined ? process.cwd() : folderOf(cwd);
  const words = limits.command.map((word) => (word instanceof URL ? fileURLToPath(word) : word));
  const program = (): Program => ({ command: words, folder });
  const queue = new RequestQueue({ ...limits, program });
  return {
    name,
    version,
    get description() {
      return describe(limits.command, folder);
    },
    verify: async (item, response) => (response.complete ? queue.ask(requestOf(item, response)) : wrong),
    canaries: (item, others) => canariesOfOwn(canaries as readonly OwnCanary[] | undefined, item, others),
    open: ({ projectFolder }) => {
      if (cwd === undefined) folder = projectFolder;
    },
    close: () => queue.close(),
  };
}

function requestOf({ prompt, messages, answer, stratum }: Item, { text, complete }: Response): object {
  return { prompt, messages, answer, response: text, complete, kind: stratum };
}

function folderOf(cwd: string | URL): string {
  const path = cwd instanceof URL || cwd.startsWith("file:") ? fileURLToPath(cwd) : resolve(cwd);
  return statSync(path, { throwIfNoEntry: false })?.isFile() ? dirname(path) : path;
}

/** The command, and the content of the files that it names: an edited script is another verifier, a moved one is not. */
function describe(words: readonly (string | URL)[], folder: string): Record<string, string> {
  const contents = words.map((word) => {
    const path = word instanceof URL ? fileURLToPath(word) : resolve(folder, word);
    try {
      return statSync(path).isFile() ? createHash("sha256").update(readFileSync(path)).digest("hex") : "";
    } catch {
      return "";
    }
  });
  const names = words.map((word) => (word instanceof URL ? (word.pathname.split("/").at(-1) ?? "") : word));
  return { command: JSON.stringify(names), files: contents.filter((hash) => hash !== "").join(" ") };
}
