import type { LoraOptions } from "../../../foundation/contract/index.ts";
import { engineError } from "../engine-error.ts";
import { loraModules } from "../lora-modules.ts";

/**
 * What the API's form of adapters would turn into something else: a rank of 0 trains all weights there, and of modules it has no
 * names but flags. Throws `bad-request`.
 */
export function checkLora({ rank, modules }: LoraOptions): void {
  if (!(Number.isInteger(rank) && rank >= 1))
    throw engineError("bad-request", `The rank of adapters is a whole number from 1 up, not ${rank}.`);
  if (modules === undefined) return;
  const strange = modules.find((name) => !loraModules.includes(name));
  if (strange !== undefined)
    throw engineError(
      "bad-request",
      `There are no modules "${strange}"; there are ${loraModules.join(", ")}.`,
    );
  if (modules.length === 0)
    throw engineError(
      "bad-request",
      `Adapters lie on at least one of ${loraModules.join(", ")}: name some, or leave modules out.`,
    );
}
