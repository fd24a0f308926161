import { internalError } from "../../foundation/base/index.ts";
import type { ScoredGroup } from "../../foundation/contract/index.ts";
import type { ExampleUses } from "../rollout/index.ts";
import { countExamples, type StepLoss } from "../update/index.ts";
import { repetitionCadence, stretchesOf } from "./cadence.ts";
import { ofPart } from "./of-part.ts";
import {
  allItemsOf,
  itemsOf,
  lossesIn,
  missing,
  openAll,
  type PassOutcome,
  type PassRun,
  pick,
  referenceOf,
  replayedSteps,
  trainedIn,
} from "./pass.ts";
import { rollFull } from "./roll-full.ts";
import { addTallies, groupCounts, type Tally, tallySchema } from "./tally.ts";
import { updateOf } from "./update-of.ts";

type Rolled = ReturnType<typeof rollFull>;

/** On-policy repetitions: rollouts are worth nothing without the weights of their step, so both are redone together. */
export async function runRepeatedly(run: PassRun): Promise<PassOutcome> {
  const { method, pass, name, start, context } = run;
  let checkpoints = start;
  const tallies: Tally[] = [];
  const losses: StepLoss[] = [];
  let blocked: string | null = null;
  const trained: string[] = [];
  const reference = referenceOf(run);
  const replay = { base: context.base, older: context.older };
  for (const { from: first, to: last } of stretchesOf(pass.repeat, repetitionCadence)) {
    const begin = checkpoints;
    const result = await context.durable(`${name}/repetitions/${last}`, async () => {
      const policies = await openAll(run, begin, first > 0);
      const learners = policies.filter(({ role }) => pass.roles.includes(role));
      const parts: Partial<Tally>[] = [];
      const made: StepLoss[] = [];
      let why: string | null = null;
      const learnt = pass.roles.map((): ExampleUses[] => []);
      let stepsAfter = 0;
      const items = await allItemsOf(run);
      const rolled = (repetition: number, beside?: readonly ScoredGroup[]): Rolled => {
        const draws = (pass.refill ?? 0) + 1;
        const random = context.random.fork(`${name}/update/${method.lead}/${repetition}`);
        return rollFull({
          pass,
          lead: method.lead,
          task: context.task,
          policies,
          earlier: run.earlier,
          reference,
          copy: noCopies,
          drawAt: (draw) => ({
            items: itemsOf(pass, items, (run.turn * pass.repeat + repetition) * draws + draw),
            seed: context.random.fork(`${name}/generate/${repetition}${draw === 0 ? "" : `/${draw}`}`).seed(),
          }),
          learning: { replay, random },
          ...(beside ? { beside } : {}),
          ...(context.signal ? { signal: context.signal } : {}),
        });
      };
      let ahead: Rolled | undefined;
      for (let repetition = first; repetition < last; repetition++) {
        context.signal?.throwIfAborted();
        const { scored, tally } = await (ahead ?? rolled(repetition));
        why = context.whyBlocked?.(tally) ?? null;
        if (why !== null) {
          parts.push(tally);
          break;
        }
        // Its sampler is asked for before any step: which weights write does not depend on who is faster.
        ahead = pass.overlap && repetition + 1 < last ? rolled(repetition + 1, scored) : undefined;
        ahead?.catch(() => undefined);
        const updates = await Promise.all(
          learners.map(async (policy) => {
            const { role } = policy;
            const update = updateOf(pass, role);
            const random = context.random.fork(`${name}/update/${role}/${repetition}`);
            const learning = { groups: scored, replay, random, role };
            const outcome = await ofPart(`The update “${update.name}”`, context.signal, () =>
              update.update({
                policy,
                groups: scored,
                replay,
                task: context.task,
                models: { reference },
                random,
                from: 0,
                to: update.steps(countExamples(scored, replay), learning),
                ...(context.remedies ? { remedies: context.remedies } : {}),
                ...(context.signal ? { signal: context.signal } : {}),
              }),
            );
            parts.push(groupCounts(update, learning, outcome));
            return outcome;
          }),
        );
        for (const [index, { uses }] of updates.entries()) learnt[index]?.push({ uses, stepsAfter });
        stepsAfter += Math.max(...updates.map((update) => update.losses.length));
        parts.push(
          tally,
          ...updates.map(({ tokensTrained, realTokens, positionsTrained, stale = 0 }) => ({
            tokensTrained,
            realTokens,
            positionsTrained,
            rolloutsStale: stale,
          })),
        );
        const led = updates[pass.roles.indexOf(method.lead)];
        if (led !== undefined) {
          parts.push({ stepsReplayed: replayedSteps(led) });
          made.push(...led.losses);
        }
        context.onProgress?.("generate and train", repetition + 1, pass.repeat, made.at(-1));
      }
      const saved = Object.fromEntries(
        pass.roles.map((role) => [role, context.checkpointName(role, `${name}-${last}`)]),
      );
      await Promise.all(
        pass.roles.map((role) =>
          context.policies.save(role, saved[role] ?? missing(role), { unfinished: last < pass.repeat }),
        ),
      );
      const records = await Promise.all(
        pass.roles.map((role, index) =>
          context.storeTraining({
            role,
            part: name,
            steps: [first, last],
            checkpoint: saved[role] ?? missing(role),
            from: begin[role] ?? missing(role),
            reward: pass.reward.name,
            rollouts: null,
            writers: pick(begin, pass.roles),
            learnt: learnt[index] ?? [],
          }),
        ),
      );
      return { checkpoints: saved, tally: addTallies(parts), losses: made, trained: records, blocked: why };
    });
    if (first > 0)
      for (const checkpoint of Object.values(pick(begin, pass.roles)))
        await context.policies.discard(checkpoint);
    checkpoints = { ...checkpoints, ...result.checkpoints };
    tallies.push(tallySchema.parse(result.tally));
    losses.push(...lossesIn(result));
    trained.push(...trainedIn(result));
    blocked = result.blocked ?? null;
    if (blocked !== null) break;
  }
  const tally = addTallies(tallies);
  return {
    checkpoints: pick(checkpoints, pass.roles),
    idle: tally.tokensTrained > 0 ? [] : pass.roles,
    rolled: null,
    rollouts: [],
    buffers: {},
    tally,
    losses,
    blocked,
    trained,
  };
}

/** Weights between two repetitions were never saved, so that nothing can be loaded from them; gro() refuses such a pass. */
function noCopies(role: string): never {
  throw internalError(`weights of the role ${role} cannot be copied in a pass that repeats`);
}
