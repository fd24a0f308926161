import type { LoraModule } from "../../foundation/contract/index.ts";

/** Parts of a model that adapters can be on. */
export const loraModules = ["attention", "mlp", "unembed"] as const satisfies readonly LoraModule[];
