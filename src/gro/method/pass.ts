import { internalError } from "../../foundation/base/index.ts";
import type { Item, Policy, SamplingPolicy, ScoredGroup } from "../../foundation/contract/index.ts";
import type { Method, Pass } from "../method.ts";
import type { PassModels, ReferenceWeights } from "../rollout/index.ts";
import type { StepLoss, UpdateOutcome } from "../update/index.ts";
import type { MethodContext } from "./context.ts";
import type { Tally } from "./tally.ts";
import { updateOf } from "./update-of.ts";

/** Checkpoint names by role. */
export type CheckpointsByRole = Readonly<Record<string, string>>;

/** A pass at work in a round. */
export interface PassRun {
  readonly method: Method;
  readonly pass: Pass;
  /** Tells its steps from those of the round's other passes. */
  readonly name: string;
  readonly start: CheckpointsByRole;
  /** Which time in the round all passes follow each other, from 0. */
  readonly turn: number;
  /** Weights as the round and the passes before this one left them. */
  readonly found: CheckpointsByRole;
  /** What the pass before it rolled out. */
  readonly earlier: () => Promise<readonly ScoredGroup[]>;
  /** Artifacts of buffers, by name, as the round and the passes before this one left them. */
  readonly buffers: Readonly<Record<string, string>>;
  readonly context: MethodContext;
}

export interface PassOutcome {
  readonly checkpoints: CheckpointsByRole;
  /** Roles that learnt nothing: their checkpoints hold what the pass began with. */
  readonly idle: readonly string[];
  /** The artifact of all that was rolled out; null where the pass keeps none, because it repeats. */
  readonly rolled: string | null;
  /** Artifacts of what was rolled out and kept; empty where nothing is imitated. */
  readonly rollouts: readonly string[];
  /** Artifacts of the buffers that it filled, by name. */
  readonly buffers: Readonly<Record<string, string>>;
  readonly tally: Tally;
  /** Of the role that leads, step by step. */
  readonly losses: readonly StepLoss[];
  /** Why a guard let nothing, or nothing more, be learnt; null where none did. */
  readonly blocked: string | null;
  /** Artifacts that say what was learnt from, of every role. */
  readonly trained: readonly string[];
}

/** The policies of the pass's roles, and then of those whom it asks, at these weights; `begun` when it made steps to them. */
export function openAll(run: PassRun, weights: CheckpointsByRole, begun: boolean): Promise<Policy[]> {
  const { roles, asks = [] } = run.pass;
  return Promise.all(
    [...roles, ...asks.filter((role) => !roles.includes(role))].map((role) => {
      const checkpoint = weights[role] ?? missing(role);
      return run.context.policies.open(role, {
        checkpoint,
        optimizerState: begun ? "continued" : stateAtStart(run, role, checkpoint),
      });
    }),
  );
}

/** With which moments a pass begins. */
export function stateAtStart(
  { pass, context }: PassRun,
  role: string,
  checkpoint: string,
): "continued" | "fresh" {
  const { optimizerState } = updateOf(pass, role);
  if (optimizerState !== "own") return optimizerState;
  return checkpoint === context.baseWeights[role] ? "fresh" : "continued";
}

/** Earlier weights of the pass's roles, for its parts. */
export function referenceOf({ start, context }: PassRun): PassModels["reference"] {
  const weights: Readonly<Record<ReferenceWeights, CheckpointsByRole>> = {
    base: context.baseWeights,
    start,
    champion: context.championWeights,
  };
  return async (role: string, which: ReferenceWeights): Promise<SamplingPolicy> => {
    const checkpoint = weights[which][role] ?? missing(role);
    return { role, sampler: await context.policies.reference(checkpoint), tokenizer: context.tokenizer };
  };
}

/** Copies of the weights that write in a pass which is made once: those that the round found. */
export function copyOf({ found, context }: PassRun): PassModels["copy"] {
  return (role) => context.policies.copy(role, found[role] ?? missing(role));
}

/**
 * What there is to attempt: the selection, or what the pass makes of what was rolled out before it. Where a repetition takes some of them,
 * they stand in an order of chance: in that of their sources a batch would be of one kind, and the last ones would never be asked.
 */
export async function allItemsOf({ method, pass, context, earlier }: PassRun): Promise<readonly Item[]> {
  const items =
    pass.itemsFrom === undefined
      ? context.items
      : pass.itemsFrom(await earlier(), context.task, context.demonstrated ?? []);
  if (pass.items === undefined) return items;
  // The same whichever time in the round it is: each goes on where the one before it ended.
  return context.random.fork(`pass-${method.passes.indexOf(pass)}/order`).shuffle(items);
}

/** Each repetition takes the next of the items, beginning again at their end. */
export function itemsOf(pass: Pass, items: readonly Item[], repetition: number): readonly Item[] {
  if (pass.items === undefined) return items;
  return Array.from(
    { length: Math.min(pass.items, items.length) },
    (_, index) => items[(repetition * (pass.items ?? 0) + index) % items.length] as Item,
  );
}

/** The losses in a stored step; none in one that was stored before they were kept. */
export function lossesIn({ losses = [] }: { readonly losses?: readonly StepLoss[] }): readonly StepLoss[] {
  return losses;
}

/** The records of what a stored step learnt from; none in one that was stored before they were kept, or where none are. */
export function trainedIn({
  trained = [],
}: {
  readonly trained?: readonly (string | null)[];
}): readonly string[] {
  return trained.filter((record) => record !== null);
}

/** Of these steps, those in which nothing was new: all of it was demonstrated, or kept by earlier rounds. */
export function replayedSteps({ uses, losses }: Pick<UpdateOutcome, "uses" | "losses">): number {
  const isNew = [...uses.keys()].some(({ writer }) => writer !== null && writer.artifact === null);
  return isNew ? 0 : losses.length;
}

export function pick(from: CheckpointsByRole, roles: readonly string[]): Record<string, string> {
  return Object.fromEntries(roles.map((role) => [role, from[role] ?? missing(role)]));
}

export function missing(role: string): never {
  throw internalError(`no weights for the role ${role}`);
}
