import { type Attempts, type AttemptsCompared, attemptsSchema } from "../../foundation/contract/index.ts";
import { averaged, measures, percent } from "../../foundation/statistics/index.ts";
import { doneInAll, eachPart, samplingParts } from "../../gro/method/index.ts";
import { attemptsAnItem, itemsToAttempt, measureAttempts } from "../../lifecycle/evaluate/index.ts";
import {
  durable,
  durablePart,
  leadCheckpoint,
  playStage,
  type RoundContext,
  type StageProgress,
  signalOf,
  streamOf,
} from "./context.ts";
import { validationItems } from "./evaluate.ts";
import type { Lineage, RunState } from "./state.ts";

/**
 * The candidate's attempts at a few validation items, beside the champion's and the base's at the same ones; weights attempt them
 * once a run. Null where the run makes none.
 */
export async function attemptsStage(
  context: RoundContext,
  round: number,
  candidate: Lineage,
  { champion, base }: Pick<RunState, "champion" | "base">,
): Promise<AttemptsCompared | null> {
  if (context.definition.evaluate.attemptItems === 0) return null;
  await playStage(context, {
    round,
    name: "evaluate",
    part: "attempts",
    label: `${attemptsAnItem} attempts at validation items`,
    input: { candidate: leadCheckpoint(context, candidate) },
    work: async (progress) => {
      for (const lineage of [base, champion]) await attemptsOf(context, lineage, base, progress);
      return { result: null, summary: attemptsWords(await attemptsOf(context, candidate, base, progress)) };
    },
  });
  return {
    base: await attemptsOf(context, base, base),
    champion: await attemptsOf(context, champion, base),
    candidate: await attemptsOf(context, candidate, base),
  };
}

function attemptsWords(attempts: Attempts): string {
  const [one, all] = [measures.passAtOne, measures.passAtAll].map((measure) => averaged(attempts, measure));
  const said = (mean: number | undefined): string => (mean === undefined ? "not judged" : percent(mean));
  return `pass@1 ${said(one?.mean)}, pass@${attempts.samples} ${said(all?.mean)}`;
}

async function attemptsOf(
  context: RoundContext,
  lineage: Lineage,
  base: Lineage,
  progress?: StageProgress,
): Promise<Attempts> {
  const { task, optimize, evaluate } = context.definition;
  const checkpoint = leadCheckpoint(context, lineage);
  const first = leadCheckpoint(context, base);
  const name = `attempts/${checkpoint}`;
  const stored = await durable(context, name, { base: first }, async () => {
    const baseline = checkpoint === first ? null : await context.samplers.get(optimize.lead, first);
    const items = itemsToAttempt(task, validationItems(context), evaluate.attemptItems);
    const tell = doneInAll((done) => progress?.("attempt validation items", done, items.length));
    const parts = samplingParts(items.length, attemptsAnItem);
    const made = await eachPart(parts, (part) => {
      const measure = async (): Promise<Attempts> =>
        measureAttempts({
          task,
          policy: await context.samplers.get(optimize.lead, checkpoint),
          weightVersion: checkpoint,
          items: items.slice(part.from, part.to),
          seed: streamOf(context, 0, "attempts").seed(),
          base: baseline?.sampler ?? null,
          ...signalOf(context),
          onProgress: (done) => tell(part, done),
        });
      return parts.length === 1
        ? measure()
        : durablePart<Attempts>(context, `${name}/${part.to}`, { base: first }, measure);
    });
    const { items: _, ...all } = attemptsSchema.parse(made[0]);
    return { ...all, items: made.flatMap((one) => attemptsSchema.parse(one).items) };
  });
  return attemptsSchema.parse(stored);
}
