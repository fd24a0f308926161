/**
 * A server of the Tinker API that comes to a verb of its engine and stays in it: `held-server.ts STATE PORT VERB,…`. It
 * says where it listens; then, once a verb of what was loaded from a checkpoint has done its work and answers nothing, which
 * verb that is. There may be several, each held for itself.
 */
import { flushCompileCache } from "node:module";
import type { EngineCapabilities, LoadOptions } from "../../src/index.ts";
import { tabular } from "../../src/index.ts";
import { serveTinker } from "../../src/model/engine/serve/index.ts";
import { modelName, tinyFolder } from "../../src/model/engine/serve/testing/wire-client.ts";

const [stateFolder = "", port = "0", verbs = ""] = process.argv.slice(2);
const heldIn = verbs.split(",");
const inner = await tabular().open({ logFolder: stateFolder });
const isLoading = (name: unknown): boolean => name === "createModel" || name === "loadSampler";

/** The engine has none of its own, and the server must only come to them. */
const embed = async (sequences: readonly Int32Array[]): Promise<readonly Float32Array[]> =>
  sequences.map(() => new Float32Array(2));

const withEmbeddings = (told: EngineCapabilities): EngineCapabilities => ({
  ...told,
  extensions: [...told.extensions, "embeddings"],
});

/** The same object, whose methods give what is held in the same way; the one that is meant never answers. */
function held<T extends object>(whole: T): T {
  return new Proxy(whole, {
    get(target, name) {
      const value: unknown = Reflect.get(target, name) ?? (name === "embed" ? embed : undefined);
      if (typeof value !== "function") return value;
      return async (...given: unknown[]) => {
        const result: unknown = await value.apply(target, given);
        if (name === "capabilities") return withEmbeddings(result as EngineCapabilities);
        if (isLoading(name) && (given[0] as LoadOptions).source.kind !== "checkpoint") return result;
        if (heldIn.includes(String(name))) {
          console.log(`in ${String(name)}`);
          await new Promise(() => undefined);
        }
        return isLoading(name) || name === "snapshot" ? held(result as object) : result;
      };
    },
  });
}

const server = await serveTinker({
  engine: held(inner),
  models: { [modelName]: tinyFolder },
  stateFolder,
  port: Number(port),
  key: "tml-k",
});
// It will be killed, and then keeps nothing.
flushCompileCache();
console.log(server.url);
