import type {
  Asked,
  Budget,
  Guard,
  Harness,
  LoraOptions,
  Precision,
  Selector,
  Source,
  Task,
} from "../../foundation/contract/index.ts";
import type { Method } from "../../gro/method.ts";
import type { SupervisedUpdate } from "../../gro/update/index.ts";
import type { EngineDefinition, ModelDefinition } from "../../model/engine/index.ts";
import type { GateOptions } from "../gate.ts";

export interface EvaluateOptions {
  readonly over: "difficulty";
  /** Validation items of each stratum in every round. */
  readonly perStratum: number;
  /** Audit items of each stratum after a promotion. */
  readonly auditPerStratum: number;
  /** Audit items of each stratum at the end of the run, for the gain that is claimed. */
  readonly finalAuditPerStratum: number;
  /** Validation items that are attempted several times, for meters and guards, over all strata; 0: none. */
  readonly attemptItems: number;
}

/** A run with all its defaults filled in. */
export interface RunDefinition {
  readonly name: string;
  readonly model: ModelDefinition;
  readonly engine: EngineDefinition;
  readonly task: Task;
  /** Null: a model without weights learns the task's demonstrations, any other is taken as it is. */
  readonly prepare: SupervisedUpdate | null;
  readonly acquire: readonly Source[];
  readonly select: readonly Selector[];
  readonly optimize: Method;
  readonly refine: Harness;
  readonly evaluate: EvaluateOptions;
  readonly guard: readonly Guard[];
  readonly gate: GateOptions & { readonly mode: "decide" | "observe" };
  readonly afterReject: "candidate" | "champion";
  readonly budget: Budget;
  /** What the run is compared with at its end, or why with nothing; left out, by how many rounds it has. */
  readonly baselines?: "short" | "full" | { readonly off: string };
  /** What a person is asked before it is done. */
  readonly oversight: {
    readonly ask: readonly Asked[];
    /** What goes on while a promotion waits for its answer. */
    readonly whileWaiting: "stop" | "next-round";
  };
  readonly precision: Precision;
  readonly gradientCheckpointing: boolean;
  /** Adapters that are trained in place of the model's weights; absent where all of these are. */
  readonly lora?: Omit<LoraOptions, "seed">;
  readonly seed: number;
}
