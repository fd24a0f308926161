import { hashOf, type Json } from "../../foundation/base/index.ts";
import type { Verifier } from "../../foundation/contract/index.ts";
import type { TrainingHeader } from "../../foundation/ledger/index.ts";
import type { Training } from "../../gro/method/index.ts";
import { trainedExamples } from "../../gro/rollout/index.ts";
import type { RoundContext } from "./context.ts";

/** What a stretch of training learnt from, of whichever stage. */
export interface KeptTraining extends Omit<Training, "reward"> {
  readonly round: number;
  readonly stage: TrainingHeader["stage"];
  /** What trained, for people. */
  readonly method: string;
  readonly reward: string | null;
}

/** Stores what every example of a stretch of training came from, and returns the record's name; null where none is kept. */
export async function keepLineage(context: RoundContext, training: KeptTraining): Promise<string | null> {
  if (context.lineage === false) return null;
  const { definition, ledger, run } = context;
  const { task } = definition;
  const { learnt, rollouts, steps, ...rest } = training;
  const header: TrainingHeader = {
    ...rest,
    run: run.id,
    steps: [steps[0], steps[1]],
    writers: { ...rest.writers },
    rollouts,
    task: { name: task.name, version: task.version },
    verifier: verifierOf(task.verifier),
  };
  return ledger.lineage.record(header, trainedExamples(learnt, rollouts));
}

/** Two verifiers with one hash judge alike, as far as they say what defines them. */
function verifierOf({ name, version, description = {} }: Verifier): TrainingHeader["verifier"] {
  return { name, version, hash: hashOf({ name, version, description } as Json) };
}
