import type { EngineNeeds, Item, RolloutGroup, SamplingPolicy } from "../../foundation/contract/index.ts";

export interface GenerateRequest {
  readonly policy: SamplingPolicy;
  readonly items: readonly Item[];
  readonly maxTokens: (item: Item) => number;
  readonly seed: number;
  readonly signal?: AbortSignal;
  readonly onProgress?: (itemsDone: number) => void;
}

/** Turns items into groups of rollouts: the G of Generation–Reward–Optimization. */
export interface GeneratePart {
  readonly name: string;
  readonly description: Readonly<Record<string, string | number | boolean>>;
  /** Rollouts that one policy writes per item: what `plan` counts. */
  readonly samplesPerItem: number;
  /** Of the engine, beyond sampling by temperature and top-p. */
  readonly needs?: EngineNeeds;
  generate(request: GenerateRequest): Promise<RolloutGroup[]>;
}
