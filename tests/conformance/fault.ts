import type { Planting } from "./faulty-engine.ts";

/** A fault that an engine may well have, and the check that is there to catch it. */
export interface Fault {
  readonly fault: string;
  readonly caughtBy: string;
  readonly planting: Planting;
}
