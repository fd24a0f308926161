import type { Planting } from "./faulty-engine.ts";

/** A fault that an engine may well have, and the check that is there to catch it. */
export interface Fault {
  readonly fault: string;
  readonly caughtBy: string;
  readonly planting: Planting;
  /** As large as it must be to be seen where logprobs are rough; the same by default. */
  readonly inBf16?: Planting;
}
