import { userError } from "../../foundation/base/index.ts";
import { checkNeeds, type PreparedModel } from "../../model/engine/index.ts";
import { local } from "../../model/engine/local/index.ts";
import { tabular } from "../../model/engine/tabular/index.ts";
import type { RunDefinition } from "../round/definition.ts";

/**
 * A model that comes as adapters is trained as such: refuses a run that wants others over it, or whose engine has none. Throws
 * user errors `invalid-option` and `engine-lacks`.
 */
export function refuseOtherAdapters(
  { model, engine, lora }: RunDefinition,
  { adapters }: Pick<PreparedModel, "adapters">,
): void {
  if (adapters === undefined) return;
  const { rank } = adapters;
  if (lora !== undefined)
    throw userError(
      "invalid-option",
      `"lora": ${model.name} holds adapters of rank ${rank}, and those are trained: leave lora out, or name their base as the model.`,
    );
  const { name, abilities } = engine;
  if (abilities !== undefined) checkNeeds({ name, abilities }, { loraRank: rank }, [local(), tabular()]);
}
