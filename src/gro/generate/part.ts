import type {
  EngineNeeds,
  Item,
  RolloutGroup,
  SamplingPolicy,
  ScoredGroup,
  Task,
  Tokenizer,
} from "../../foundation/contract/index.ts";
import type { PassModels } from "../rollout/index.ts";

export interface GenerateRequest {
  readonly policy: SamplingPolicy;
  readonly task: Task;
  /** Who else can be asked: another role, earlier weights. */
  readonly models: PassModels;
  /** What the pass before this one rolled out in the round; empty for the first, and after one that repeats. */
  readonly earlier: () => Promise<readonly ScoredGroup[]>;
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
  /** Texts that it shows at these items, given or the task's: a guard looks whether they quote what a run is decided by. */
  readonly documents?: (task: Task, items: readonly Item[]) => readonly string[];
  /** Rollouts that one policy writes per item: what `plan` counts. */
  readonly samplesPerItem: number;
  /** What it writes, its model would not have written so by itself: a hint was shown, tokens were put in. */
  readonly offPolicy?: true;
  /**
   * Refuses a task that it cannot ask, with a user error, before a run starts; asked once more when the model is there, with its
   * tokenizer.
   */
  check?(task: Task, tokenizer?: Tokenizer): void;
  /** Of the engine, beyond sampling by temperature and top-p. */
  readonly needs?: EngineNeeds;
  generate(request: GenerateRequest): Promise<RolloutGroup[]>;
}
