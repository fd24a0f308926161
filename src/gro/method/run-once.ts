import { allSettled } from "../../foundation/base/index.ts";
import type { ScoredGroup } from "../../foundation/contract/index.ts";
import { countExamples, type StepLoss } from "../update/index.ts";
import { filled, heldBy } from "./buffers.ts";
import { stepCadence, stretchesOf } from "./cadence.ts";
import { generateInParts } from "./generate-in-parts.ts";
import { ofPart } from "./of-part.ts";
import {
  allItemsOf,
  copyOf,
  itemsOf,
  lossesIn,
  missing,
  openAll,
  type PassOutcome,
  type PassRun,
  pick,
  referenceOf,
  replayedSteps,
  stateAtStart,
  trainedIn,
} from "./pass.ts";
import { roll } from "./roll.ts";
import { addTallies, groupCounts, type Tally, tallySchema } from "./tally.ts";
import { updateOf } from "./update-of.ts";

/** Of a pass that was rolled out: its rollouts, what they come to, and its buffer with them. */
interface Rolled {
  readonly artifact: string;
  readonly tally: Tally;
  readonly buffer?: string;
}

/** Rollouts are stored before anything learns from them; then every role's update, in bounded stretches. */
export async function runOnce(run: PassRun): Promise<PassOutcome> {
  const { method, pass, name, start, found, context } = run;
  const { durable, onProgress } = context;
  // The engine learns while what it learns from is being written; no update counts before that is stored.
  const rolled = Promise.withResolvers<{ readonly groups: readonly ScoredGroup[]; readonly tally: Tally }>();
  const reference = referenceOf(run);
  const copy = copyOf(run);
  // In a pass in which nobody learns nobody waits for it.
  rolled.promise.catch(() => {});
  let fresh = false;
  const parts = new Set<string>();
  const storing = durable(`${name}/rollouts`, async () => {
    const { scored, tally } = await roll({
      pass,
      lead: method.lead,
      task: context.task,
      policies: await openAll(run, found, false),
      items: itemsOf(pass, await allItemsOf(run), run.turn),
      earlier: run.earlier,
      reference,
      copy,
      keep: (part, work) => context.durablePart(`${name}/kept/${part}`, work),
      seed: context.random.fork(`${name}/generate`).seed(),
      ...(context.signal ? { signal: context.signal } : {}),
      onProgress: (done, total) => onProgress?.("generate", done, total),
      inParts: generateInParts(run, parts),
    });
    fresh = true;
    const held = await heldBy(run);
    rolled.resolve({ groups: [...scored, ...held], tally });
    const artifact = await context.storeGroups(scored);
    const stored = { artifact, tally, parts: [...parts].sort() };
    return pass.buffer === undefined
      ? stored
      : { ...stored, buffer: await context.storeGroups(filled(pass.buffer, scored, artifact, held)) };
  });
  // The whole holds them now.
  const forgetting = storing.then(async ({ parts: served = [] }: { readonly parts?: readonly string[] }) => {
    for (const part of served) await context.forgetGroups(part);
  });
  storing
    .then(async ({ artifact, tally }) => {
      if (!fresh)
        rolled.resolve({
          groups: [...(await context.readGroups(artifact)), ...(await heldBy(run))],
          tally: tallySchema.parse(tally),
        });
    })
    .catch(rolled.reject);
  const done = new Map<string, number>();
  const updating = pass.roles.map(async (role) => {
    const { groups, tally } = await rolled.promise;
    const begun = start[role] ?? missing(role);
    if ((context.whyBlocked?.(tally) ?? null) !== null)
      return { role, checkpoint: begun, tallies: [], losses: [], trained: [] };
    const update = updateOf(pass, role);
    const replay = { base: context.base, older: context.older };
    const random = context.random.fork(`${name}/update/${role}`);
    const learning = { groups, replay, random, role };
    const steps = update.steps(countExamples(groups, replay), learning);
    const tallies: Partial<Tally>[] = [groupCounts(update, learning)];
    const losses: StepLoss[] = [];
    const trained: string[] = [];
    let checkpoint = begun;
    for (const { from, to } of stretchesOf(steps, stepCadence)) {
      const begin = checkpoint;
      const result = await durable(`${name}/update/${role}/${to}`, async () => {
        const optimizerState = from === 0 ? stateAtStart(run, role, begin) : "continued";
        const policy = await context.policies.open(role, { checkpoint: begin, optimizerState });
        const {
          tokensTrained,
          realTokens,
          positionsTrained,
          losses: made,
          uses,
          stale = 0,
        } = await ofPart(`The update “${update.name}”`, context.signal, () =>
          update.update({
            policy,
            groups,
            task: context.task,
            models: { reference },
            replay,
            random,
            from,
            to,
            ...(context.remedies ? { remedies: context.remedies } : {}),
            ...(context.signal ? { signal: context.signal } : {}),
            onProgress: (step, loss) => {
              done.set(role, step);
              onProgress?.("train", sum(done.values()), steps * pass.roles.length, loss);
            },
          }),
        );
        const saved = context.checkpointName(role, `${name}-${to}`);
        const [, record] = await allSettled([
          context.policies.save(role, saved, { unfinished: to < steps }),
          storing.then(({ artifact }) =>
            context.storeTraining({
              role,
              part: name,
              steps: [from, to],
              checkpoint: saved,
              from: begin,
              reward: pass.reward.name,
              rollouts: artifact,
              writers: pick(found, pass.roles),
              learnt: [{ uses, stepsAfter: 0 }],
            }),
          ),
        ]);
        return {
          checkpoint: saved,
          tokensTrained,
          realTokens,
          positionsTrained,
          stale,
          stepsReplayed: role === method.lead ? replayedSteps({ uses, losses: made }) : 0,
          losses: [...made],
          trained: [record],
        };
      });
      if (from > 0) await context.policies.discard(begin);
      checkpoint = result.checkpoint;
      tallies.push({
        tokensTrained: result.tokensTrained,
        realTokens: result.realTokens,
        positionsTrained: result.positionsTrained,
        stepsReplayed: result.stepsReplayed,
        ...(from === 0 ? { rolloutsStale: result.stale ?? 0 } : {}),
      });
      losses.push(...lossesIn(result));
      trained.push(...trainedIn(result));
    }
    return { role, checkpoint, tallies, losses, trained };
  });
  const [rolling, , ...updates] = await allSettled([storing, forgetting, ...updating]);
  const { artifact, tally, buffer }: Rolled = rolling;
  const rolledTally = tallySchema.parse(tally);
  const blocked = context.whyBlocked?.(rolledTally) ?? null;
  return {
    checkpoints: Object.fromEntries(updates.map(({ role, checkpoint }) => [role, checkpoint])),
    idle: updates.flatMap(({ role, tallies }) => (addTallies(tallies).tokensTrained > 0 ? [] : [role])),
    rolled: artifact,
    rollouts:
      pass.update.learnsBy === "imitation" && pass.roles.length > 0 && blocked === null ? [artifact] : [],
    buffers:
      pass.buffer === undefined || buffer === undefined || blocked !== null
        ? {}
        : { [pass.buffer.name]: buffer },
    tally: addTallies([rolledTally, ...updates.flatMap(({ tallies }) => tallies)]),
    blocked,
    losses: updates.find(({ role }) => role === method.lead)?.losses ?? [],
    trained: updates.flatMap(({ trained }) => trained),
  };
}

function sum(values: Iterable<number>): number {
  let total = 0;
  for (const value of values) total += value;
  return total;
}
