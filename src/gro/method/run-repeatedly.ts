import type { ExampleUses } from "../rollout/index.ts";
import { countExamples, type StepLoss } from "../update/index.ts";
import { repetitionCadence, stretchesOf } from "./cadence.ts";
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
  trainedIn,
  updateOf,
} from "./pass.ts";
import { roll } from "./roll.ts";
import { addTallies, type Tally, tallySchema } from "./tally.ts";

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
      const [items, earlier] = [await allItemsOf(run), await run.earlier()];
      for (let repetition = first; repetition < last; repetition++) {
        context.signal?.throwIfAborted();
        const { scored, tally } = await roll({
          pass,
          lead: method.lead,
          task: context.task,
          policies,
          items: itemsOf(pass, items, repetition),
          earlier,
          reference,
          seed: context.random.fork(`${name}/generate/${repetition}`).seed(),
          ...(context.signal ? { signal: context.signal } : {}),
        });
        why = context.whyBlocked?.(tally) ?? null;
        if (why !== null) {
          parts.push(tally);
          break;
        }
        const updates = await Promise.all(
          learners.map((policy) =>
            updateOf(pass, policy.role).update({
              policy,
              groups: scored,
              replay,
              task: context.task,
              models: { reference },
              random: context.random.fork(`${name}/update/${policy.role}/${repetition}`),
              from: 0,
              to: updateOf(pass, policy.role).steps(countExamples(scored, replay)),
              ...(context.remedies ? { remedies: context.remedies } : {}),
              ...(context.signal ? { signal: context.signal } : {}),
            }),
          ),
        );
        for (const [index, { uses }] of updates.entries()) learnt[index]?.push({ uses, stepsAfter });
        stepsAfter += Math.max(...updates.map((update) => update.losses.length));
        parts.push(tally, ...updates.map(({ tokensTrained, realTokens }) => ({ tokensTrained, realTokens })));
        made.push(...(updates[pass.roles.indexOf(method.lead)]?.losses ?? []));
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
  return {
    checkpoints: pick(checkpoints, pass.roles),
    rolled: null,
    rollouts: [],
    tally: addTallies(tallies),
    losses,
    blocked,
    trained,
  };
}
