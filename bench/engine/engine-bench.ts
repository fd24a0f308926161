import type { Engine } from "whetstone";
import type { PeerEnvironment } from "./environment.ts";
import type { BenchModel } from "./model.ts";

/** What a part of the bench compares: a model on the engine, and what runs it otherwise. */
export interface EngineBench {
  readonly engine: Engine;
  readonly model: BenchModel;
  readonly environment: PeerEnvironment;
  /** Pairs that are measured. */
  readonly rounds: number;
}
