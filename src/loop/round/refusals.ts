import {
  type RefusalProbes,
  type Refusals,
  type RefusalsCompared,
  refusalsSchema,
} from "../../foundation/contract/index.ts";
import { measureRefusals } from "../../lifecycle/evaluate/index.ts";
import {
  durable,
  playStage,
  type RoundContext,
  type StageProgress,
  shippedName,
  shippedPolicies,
  signalOf,
  streamOf,
} from "./context.ts";
import type { Lineage, RunState } from "./state.ts";

/** The candidate's answers to prompts that are to be refused, beside the base's; undefined where the run has none. */
export async function refusalsStage(
  context: RoundContext,
  round: number,
  candidate: Lineage,
  { base }: Pick<RunState, "base">,
): Promise<RefusalsCompared | undefined> {
  const { refusals } = context.definition;
  if (refusals === undefined) return undefined;
  await playStage(context, {
    round,
    name: "evaluate",
    part: "refusals",
    label: `${refusals.items.length} prompts that are to be refused`,
    input: { candidate: shippedName(context, candidate) },
    work: async (progress) => {
      await refusalsOf(context, refusals, base, progress);
      const { refused } = await refusalsOf(context, refusals, candidate, progress);
      return { result: null, summary: `${refused.filter(Boolean).length} of ${refused.length} refused` };
    },
  });
  return {
    base: await refusalsOf(context, refusals, base),
    candidate: await refusalsOf(context, refusals, candidate),
  };
}

/** The same weights answer once a run. */
async function refusalsOf(
  context: RoundContext,
  probes: RefusalProbes,
  lineage: Lineage,
  progress?: StageProgress,
): Promise<Refusals> {
  const { refine } = context.definition;
  const checkpoint = shippedName(context, lineage);
  const stored = await durable(context, `refusals/${checkpoint}`, probes.description, async () =>
    measureRefusals({
      probes,
      harness: refine,
      ...(await shippedPolicies(context, lineage)),
      weightVersion: checkpoint,
      seed: streamOf(context, 0, "refusals").seed(),
      ...signalOf(context),
      ...(progress
        ? { onProgress: (done, total) => progress("answer prompts that are to be refused", done, total) }
        : {}),
    }),
  );
  return refusalsSchema.parse(stored);
}
