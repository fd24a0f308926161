import type { EngineCapabilities } from "../../../foundation/contract/index.ts";
import type { Bench } from "./bench.ts";

/** A check before it is bound to an engine. */
export interface CheckDefinition {
  readonly name: string;
  /** Why an engine with these capabilities need not pass; undefined when it must. */
  readonly excuse?: (capabilities: EngineCapabilities) => string | undefined;
  readonly check: (bench: Bench) => Promise<void>;
}
