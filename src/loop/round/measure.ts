import type {
  JudgedAnswer,
  Measurement,
  SamplingPolicy,
  ShownSample,
  Split,
} from "../../foundation/contract/index.ts";
import { evaluationItems, gainOf, measure, shownSamples } from "../../lifecycle/evaluate/index.ts";
import { type RoundContext, type StageProgress, streamOf } from "./context.ts";
import type { Lineage } from "./state.ts";

/** The policy that answers for a lineage, from reloaded weights. */
export function leadOf(context: RoundContext, { checkpoints }: Lineage): Promise<SamplingPolicy> {
  const { lead } = context.definition.optimize;
  return context.samplers.get(lead, checkpoints[lead] ?? "");
}

/** The same validation items in every round, so that rounds compare. */
export async function measureValidation(
  context: RoundContext,
  lineage: Lineage,
  progress: StageProgress,
): Promise<{ measurement: Measurement; judged: readonly JudgedAnswer[] }> {
  const { task, refine, evaluate } = context.definition;
  const items = evaluationItems({
    task,
    split: "validation",
    perStratum: evaluate.perStratum,
    random: streamOf(context, 0, "validation"),
  });
  return measure({
    task,
    harness: refine,
    policy: await leadOf(context, lineage),
    items,
    split: "validation",
    seed: streamOf(context, 0, "validation-answers").seed(),
    onProgress: (done, total) => progress("answer validation items", done, total),
  });
}
