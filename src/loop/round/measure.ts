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

interface Measured {
  readonly measurement: Measurement;
  readonly judged: readonly JudgedAnswer[];
}

/** The champion and the candidates since it: more are not compared. */
const remembered = 4;
const answersByContext = new WeakMap<RoundContext, Map<string, Promise<Measured>>>();

/** The same validation items in every round, so that rounds compare; the same weights answer them once a process. */
export function measureValidation(context: RoundContext, lineage: Lineage, progress: StageProgress): Promise<Measured> {
  const known = answersByContext.get(context) ?? new Map<string, Promise<Measured>>();
  answersByContext.set(context, known);
  const name = lineage.checkpoints[context.definition.optimize.lead] ?? "";
  const measured = known.get(name) ?? answerValidation(context, lineage, progress);
  known.delete(name);
  known.set(name, measured);
  for (const oldest of [...known.keys()].slice(0, -remembered)) known.delete(oldest);
  return measured;
}

async function answerValidation(context: RoundContext, lineage: Lineage, progress: StageProgress): Promise<Measured> {
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
