import { internalError } from "../../foundation/base/index.ts";
import type { Item, Policy, ScoredGroup } from "../../foundation/contract/index.ts";
import type { Method, Pass } from "../method.ts";
import type { MethodContext } from "./context.ts";
import { roll } from "./roll.ts";
import { addTallies, type Tally, tallySchema } from "./tally.ts";

/** Optimiser steps that a crash may cost at most, and on-policy repetitions likewise. */
const stepsBetweenCheckpoints = 500;
const repetitionsBetweenCheckpoints = 20;

/** Checkpoints that a pass saves in a round, over its roles. */
export function checkpointsOf({ repeat, roles, update }: Pass): number {
  const each =
    repeat === 1
      ? Math.ceil(update.steps / stepsBetweenCheckpoints)
      : Math.ceil(repeat / repetitionsBetweenCheckpoints);
  return each * roles.length;
}

export interface MethodOutcome {
  /** Checkpoint names by role; a role that the method does not deliver keeps the weights that it had. */
  readonly checkpoints: Readonly<Record<string, string>>;
  /** Artifacts of what was rolled out and kept, for later rounds' replay; empty where nothing is imitated. */
  readonly rollouts: readonly string[];
  readonly tally: Tally;
}

/** Runs a method's passes in order, each part of the work once over all attempts at the round. */
export async function runMethod(method: Method, context: MethodContext): Promise<MethodOutcome> {
  let weights: Readonly<Record<string, string>> = context.current;
  const rollouts: string[] = [];
  const tallies: Tally[] = [];
  for (const [index, pass] of method.passes.entries()) {
    const start = pass.start === "base" ? { ...weights, ...pick(context.baseWeights, pass.roles) } : weights;
    const outcome =
      pass.repeat === 1
        ? await runOnce(method, pass, `pass-${index}`, start, context)
        : await runRepeatedly(method, pass, `pass-${index}`, start, context);
    weights = { ...weights, ...outcome.checkpoints };
    rollouts.push(...outcome.rollouts);
    tallies.push(outcome.tally);
  }
  const checkpoints = { ...context.current, ...pick(weights, method.deliver) };
  return { checkpoints, rollouts, tally: addTallies(tallies) };
}

/** Rollouts are stored before anything learns from them; then every role's update, in bounded stretches. */
async function runOnce(
  method: Method,
  pass: Pass,
  name: string,
  start: Readonly<Record<string, string>>,
  context: MethodContext,
): Promise<MethodOutcome> {
  const { durable, onProgress } = context;
  // The engine learns while what it learns from is being written; no update counts before that is stored.
  const rolled = Promise.withResolvers<readonly ScoredGroup[]>();
  let fresh = false;
  const storing = durable(`${name}/rollouts`, async () => {
    const { scored, tally } = await roll({
      pass,
      lead: method.lead,
      task: context.task,
      policies: await openAll(pass, start, context),
      items: itemsOf(pass, 0, context),
      seed: context.random.fork(`${name}/generate`).seed(),
      ...(context.signal ? { signal: context.signal } : {}),
      onProgress: (done, total) => onProgress?.("generate", done, total),
    });
    fresh = true;
    rolled.resolve(scored);
    return { artifact: await context.storeGroups(scored), tally };
  });
  storing
    .then(async ({ artifact }) => {
      if (!fresh) rolled.resolve(await context.readGroups(artifact));
    })
    .catch(rolled.reject);
  const { steps } = pass.update;
  const done = new Map<string, number>();
  const updating = pass.roles.map(async (role) => {
    const groups = await rolled.promise;
    const tallies: Partial<Tally>[] = [];
    let checkpoint = start[role] ?? missing(role);
    for (let from = 0; from < steps; from += stepsBetweenCheckpoints) {
      const to = Math.min(steps, from + stepsBetweenCheckpoints);
      const begin = checkpoint;
      const result = await durable(`${name}/update/${role}/${to}`, async () => {
        const optimizerState = from === 0 ? pass.update.optimizerState : "continued";
        const policy = await context.policies.open(role, { checkpoint: begin, optimizerState });
        const { tokensTrained, realTokens } = await pass.update.update({
          policy,
          groups,
          replay: { base: context.base, older: context.older },
          random: context.random.fork(`${name}/update/${role}`),
          from,
          to,
          ...(context.signal ? { signal: context.signal } : {}),
          onProgress: (step) => {
            done.set(role, step);
            onProgress?.("train", sum(done.values()), steps * pass.roles.length);
          },
        });
        const saved = context.checkpointName(role, `${name}-${to}`);
        await context.policies.save(role, saved);
        await storing;
        return { checkpoint: saved, tokensTrained, realTokens };
      });
      checkpoint = result.checkpoint;
      tallies.push({ tokensTrained: result.tokensTrained, realTokens: result.realTokens });
    }
    return { role, checkpoint, tallies };
  });
  const [{ artifact, tally }, ...updates] = await allSettled([storing, ...updating]);
  return {
    checkpoints: Object.fromEntries(updates.map(({ role, checkpoint }) => [role, checkpoint])),
    rollouts: pass.update.learnsBy === "imitation" ? [artifact] : [],
    tally: addTallies([tallySchema.parse(tally), ...updates.flatMap(({ tallies }) => tallies)]),
  };
}

/** On-policy repetitions: rollouts are worth nothing without the weights of their step, so both are redone together. */
async function runRepeatedly(
  method: Method,
  pass: Pass,
  name: string,
  start: Readonly<Record<string, string>>,
  context: MethodContext,
): Promise<MethodOutcome> {
  let checkpoints = start;
  const tallies: Tally[] = [];
  for (let first = 0; first < pass.repeat; first += repetitionsBetweenCheckpoints) {
    const last = Math.min(pass.repeat, first + repetitionsBetweenCheckpoints);
    const begin = checkpoints;
    const result = await context.durable(`${name}/repetitions/${last}`, async () => {
      const policies = await openAll(
        pass,
        begin,
        context,
        first === 0 ? pass.update.optimizerState : "continued",
      );
      const parts: Partial<Tally>[] = [];
      for (let repetition = first; repetition < last; repetition++) {
        context.signal?.throwIfAborted();
        const { scored, tally } = await roll({
          pass,
          lead: method.lead,
          task: context.task,
          policies,
          items: itemsOf(pass, repetition, context),
          seed: context.random.fork(`${name}/generate/${repetition}`).seed(),
          ...(context.signal ? { signal: context.signal } : {}),
        });
        const updates = await Promise.all(
          policies.map((policy) =>
            pass.update.update({
              policy,
              groups: scored,
              replay: { base: context.base, older: context.older },
              random: context.random.fork(`${name}/update/${policy.role}/${repetition}`),
              from: 0,
              to: pass.update.steps,
              ...(context.signal ? { signal: context.signal } : {}),
            }),
          ),
        );
        parts.push(tally, ...updates.map(({ tokensTrained, realTokens }) => ({ tokensTrained, realTokens })));
        context.onProgress?.("generate and train", repetition + 1, pass.repeat);
      }
      const saved = Object.fromEntries(
        pass.roles.map((role) => [role, context.checkpointName(role, `${name}-${last}`)]),
      );
      await Promise.all(pass.roles.map((role) => context.policies.save(role, saved[role] ?? missing(role))));
      return { checkpoints: saved, tally: addTallies(parts) };
    });
    checkpoints = { ...checkpoints, ...result.checkpoints };
    tallies.push(tallySchema.parse(result.tally));
  }
  return { checkpoints: pick(checkpoints, pass.roles), rollouts: [], tally: addTallies(tallies) };
}

function openAll(
  pass: Pass,
  weights: Readonly<Record<string, string>>,
  context: MethodContext,
  optimizerState: "continued" | "fresh" = pass.update.optimizerState,
): Promise<Policy[]> {
  return Promise.all(
    pass.roles.map((role) =>
      context.policies.open(role, { checkpoint: weights[role] ?? missing(role), optimizerState }),
    ),
  );
}

/** Each repetition takes the next items of the selection, beginning again at its end. */
function itemsOf(pass: Pass, repetition: number, { items }: MethodContext): readonly Item[] {
  if (pass.items === undefined) return items;
  return Array.from(
    { length: Math.min(pass.items, items.length) },
    (_, index) => items[(repetition * (pass.items ?? 0) + index) % items.length] as Item,
  );
}

function pick(from: Readonly<Record<string, string>>, roles: readonly string[]): Record<string, string> {
  return Object.fromEntries(roles.map((role) => [role, from[role] ?? missing(role)]));
}

/** All results, or the first error once nothing is under way any more. */
async function allSettled<T extends readonly Promise<unknown>[]>(
  promises: readonly [...T],
): Promise<{ -readonly [K in keyof T]: Awaited<T[K]> }> {
  await Promise.allSettled(promises);
  return (await Promise.all(promises)) as { -readonly [K in keyof T]: Awaited<T[K]> };
}

function sum(values: Iterable<number>): number {
  let total = 0;
  for (const value of values) total += value;
  return total;
}

function missing(role: string): never {
  throw internalError(`no weights for the role ${role}`);
}
