import { isWhetstoneError } from "../../../foundation/base/index.ts";
import type { LoraModule, LoraOptions } from "../../../foundation/contract/index.ts";
import { engineError } from "../engine-error.ts";
import { textIn } from "./connection.ts";
import { checkpointOf } from "./paths.ts";
import type { RemoteSession } from "./remote-session.ts";

/** The one that servers of the API have; it has no word for another. */
const usualAlpha = 32;

/** What a server says that trains adapters only, of a model of which all weights were asked for. Throws `unsupported`, or what it is. */
export function refusedWhole(error: unknown): never {
  if (!(isWhetstoneError(error) && error.code === "server-refused")) throw error;
  throw engineError(
    "unsupported",
    `A model was asked for that trains all of its weights, which goes as adapters of rank 0, and the server refused: ${error.message}. ` +
      "Where it trains adapters only, ask for some: lora: { rank: 8 }, or --lora 8.",
  );
}

/** The API's names of the parts of a model that adapters are on. */
export const trainedParts = (modules: readonly LoraModule[]) => ({
  train_attn: modules.includes("attention"),
  train_mlp: modules.includes("mlp"),
  train_unembed: modules.includes("unembed"),
});

/** Throws `unsupported` for an alpha that a server would leave out. */
export function refuseAlpha({ alpha = usualAlpha }: LoraOptions): void {
  if (alpha === usualAlpha) return;
  throw engineError(
    "unsupported",
    `alpha is ${alpha}, and the Tinker API has no word for it: this server would train adapters with ${usualAlpha}. Leave it out.`,
  );
}

/**
 * That the adapters of a new model are on the modules that were asked for, as its server tells of a checkpoint of it: one that
 * does not know these fields leaves them out without a word. Returns how many numbers of the model that took. Throws
 * `unsupported`.
 */
export async function confirmModules(
  { connection }: RemoteSession,
  modelId: string,
  modules: readonly LoraModule[],
): Promise<number> {
  const saved = { model_id: modelId, seq_id: 1, path: "modules" };
  const path = textIn(await connection.operation("save_weights", saved), "path");
  const told = await connection.post("weights_info", { tinker_path: path });
  await connection.remove(checkpointOf(path)).catch(() => undefined);
  const asked = Object.entries(trainedParts(modules));
  if (asked.every(([name, value]) => told[name] === value)) return 1;
  await connection
    .operation("unload_model", { model_id: modelId }, { patient: false })
    .catch(() => undefined);
  throw engineError(
    "unsupported",
    `This server does not confirm that its adapters are on ${modules.join(" and ")} and nothing else (of ${path} it says ${asked
      .map(([name]) => `${name} ${JSON.stringify(told[name] ?? null)}`)
      .join(", ")}): leave modules out and take what it trains, or use a server that conforms.`,
  );
}
