import { spawn } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";
import { createInterface } from "node:readline";

export interface ServedModel extends AsyncDisposable {
  readonly url: string;
  readonly key: string;
}

/** `whetstone engine serve` on a free port, with the local engine, until it is disposed of. */
export async function servedModel(name: string, folder: string, state: string): Promise<ServedModel> {
  const key = "tml-bench";
  const program = join(import.meta.dirname, "..", "..", "bin", "whetstone.js");
  const flags = [
    "--port",
    "0",
    "--key",
    key,
    "--model",
    `${name}=${folder}`,
    "--state",
    join(state, "state"),
  ];
  const child = spawn(process.execPath, [program, "engine", "serve", ...flags, "--json"], {
    stdio: ["ignore", "pipe", "inherit"],
  });
  const ended = once(child, "close");
  const { value } = await createInterface({ input: child.stdout })[Symbol.asyncIterator]().next();
  const { url } = JSON.parse(String(value ?? "{}")) as { readonly url?: string };
  if (url === undefined) throw new Error(`whetstone engine serve did not start: ${value}`);
  return {
    url,
    key,
    async [Symbol.asyncDispose]() {
      child.kill("SIGTERM");
      await ended;
    },
  };
}
