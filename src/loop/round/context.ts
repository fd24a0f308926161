import { type Clock, type Json, type RandomStream, randomStream } from "../../foundation/base/index.ts";
import type {
  Cost,
  Engine,
  EngineCapabilities,
  HarnessRequest,
  RunEvent,
  SamplingPolicy,
  StageName,
  Tokenizer,
  Watcher,
} from "../../foundation/contract/index.ts";
import type { Ledger, RunLedger } from "../../foundation/ledger/index.ts";
import type { Question } from "../oversight/index.ts";
import type { RunDefinition } from "./definition.ts";
import type { EnginePolicies } from "./policies.ts";
import type { SamplerShelf } from "./sampler-shelf.ts";
import type { Lineage } from "./state.ts";

/** What every stage of a round works with. */
export interface RoundContext {
  readonly definition: RunDefinition;
  readonly ledger: Ledger;
  readonly run: RunLedger;
  readonly engine: Engine;
  readonly capabilities: EngineCapabilities;
  readonly tokenizer: Tokenizer;
  readonly policies: EnginePolicies;
  readonly samplers: SamplerShelf;
  readonly clock: Clock;
  readonly watch: Watcher;
  /** Cost of the whole run so far, earlier processes included. */
  readonly cost: () => Cost;
  /** Counts no sampled tokens until it is told how many to charge for what went on meanwhile. */
  readonly sealCost: () => (charged: number) => void;
  /** A safe point: throws when the run was asked to end. */
  readonly safePoint: () => void;
  /** False where what examples came from is not to be kept. */
  readonly lineage?: boolean;
  /** Before work that is not done yet: throws where a cap of the budget is reached. */
  readonly withinBudget: (stage?: StageName) => void;
  readonly oversight: OversightContext;
  /** Aborts when the run was asked to end: what is waited for is then given up, and done again from its last durable step. */
  readonly signal?: AbortSignal;
}

/** Hears a question; `goesOn` where the run does not wait for the answer yet. */
export type QuestionListener = (question: Question, how: { readonly goesOn: boolean }) => void;

/** What a question to a person needs of the run. */
export interface OversightContext {
  /** Hears each question that the run begins to wait for, or goes on beside, also after it was begun again. */
  readonly onQuestion?: QuestionListener;
  /** Counts no time until the returned function is called; absent where none is counted yet. */
  readonly pauseCost?: () => () => void;
}

/** As a member of what is asked to wait. */
export function signalOf({ signal }: Pick<RoundContext, "signal">): { readonly signal?: AbortSignal } {
  return signal ? { signal } : {};
}

/** The stream of a purpose in a round; the same in every attempt at it. */
export function streamOf(
  context: { readonly definition: Pick<RunDefinition, "seed"> },
  round: number,
  purpose: string,
): RandomStream {
  return randomStream(context.definition.seed, `round-${round}/${purpose}`);
}

/** The checkpoint of the role that answers. */
export function leadCheckpoint(
  { definition }: { readonly definition: Pick<RunDefinition, "optimize"> },
  { checkpoints }: Lineage,
): string {
  return checkpoints[definition.optimize.lead] ?? "";
}

/** The checkpoint that answers, and then those of the roles that the harness asks beside it. */
export function shippedCheckpoints(
  context: { readonly definition: Pick<RunDefinition, "optimize" | "refine"> },
  lineage: Lineage,
): readonly string[] {
  const { asks = [] } = context.definition.refine;
  return [leadCheckpoint(context, lineage), ...asks.map((role) => lineage.checkpoints[role] ?? "")];
}

/** For an event that names the checkpoint which answers: those of the roles that the harness asks, by role, where it asks any. */
export function askedCheckpoints(
  { definition }: { readonly definition: Pick<RunDefinition, "refine"> },
  checkpoints: Lineage["checkpoints"],
): { readonly asked?: Record<string, string> } {
  const { asks = [] } = definition.refine;
  return asks.length === 0
    ? {}
    : { asked: Object.fromEntries(asks.map((role) => [role, checkpoints[role] ?? ""])) };
}

/** Tells what answers from all that answers otherwise: the checkpoint that answers, with those that are asked where there are any. */
export function shippedName(
  context: { readonly definition: Pick<RunDefinition, "optimize" | "refine"> },
  lineage: Lineage,
): string {
  return shippedCheckpoints(context, lineage).join("+");
}

/** The policies that answer: the lead's, and those that the harness asks, each loaded from its checkpoint. */
export async function shippedPolicies(
  context: {
    readonly definition: Pick<RunDefinition, "optimize" | "refine">;
    readonly samplers: Pick<SamplerShelf, "get">;
  },
  lineage: Lineage,
): Promise<Pick<HarnessRequest, "policy" | "asked">> {
  const { optimize, refine } = context.definition;
  const { asks = [] } = refine;
  const get = (role: string): Promise<SamplingPolicy> =>
    context.samplers.get(role, lineage.checkpoints[role] ?? "");
  const policy = await get(optimize.lead);
  return asks.length === 0 ? { policy } : { policy, asked: await Promise.all(asks.map(get)) };
}

/** Stores an event once and shows it. */
export function tell(context: Pick<RoundContext, "run" | "watch">, key: string, event: RunEvent): void {
  const stored = context.run.append(key, event);
  if (stored !== undefined) context.watch(stored);
}

export type StageProgress = (label: string, done: number, total: number, loss?: number | null) => void;

export interface Stage<T extends Json> {
  readonly round: number;
  readonly name: StageName;
  /** What it does, for people. */
  readonly label: string;
  /** What its result depends on beside the run's definition and the round. */
  readonly input: Json;
  /** Tells two stages of one name in a round apart. */
  readonly part?: string;
  readonly work: (progress: StageProgress) => Promise<StageResult<T>>;
}

export interface StageResult<T extends Json> {
  readonly result: T;
  /** One line for people. */
  readonly summary: string;
  readonly events?: readonly RunEvent[];
}

/**
 * One stage of a round as a durable step: it runs once however often the run is interrupted, and its result and events are
 * stored together or not at all.
 */
export async function playStage<T extends Json>(context: RoundContext, stage: Stage<T>): Promise<T> {
  const { round, name, label, input, part, work } = stage;
  context.safePoint();
  const key = `round-${round}/${name}${part === undefined ? "" : `-${part}`}`;
  tell(context, `${key}/started`, { type: "stage-started", round, stage: name, label });
  const begun = context.clock.monotonic();
  const progress: StageProgress = (what, done, total, loss) =>
    context.watch({
      type: "progress",
      stage: name,
      label: what,
      done,
      total,
      ...(loss == null ? {} : { loss }),
    });
  const { result, events } = await context.run.step<T>(key, input, async () => {
    context.withinBudget(name);
    const { result: made, summary, events: own = [] } = await work(progress);
    const seconds = (context.clock.monotonic() - begun) / 1000;
    const finished: RunEvent = { type: "stage-finished", round, stage: name, seconds, summary };
    return {
      result: made,
      events: [
        ...own.map((event, index) => ({ key: `${key}/${index}/${event.type}`, event })),
        { key: `${key}/finished`, event: finished },
      ],
    };
  });
  for (const event of events) context.watch(event);
  return result;
}

/** A part of a stage that an interruption must not make run twice; its caps are looked at before. */
export async function durable<T extends Json>(
  context: Pick<RoundContext, "safePoint" | "withinBudget"> & { readonly run: Pick<RunLedger, "step"> },
  name: string,
  input: Json,
  work: () => Promise<T>,
): Promise<T> {
  context.safePoint();
  const { result } = await context.run.step<T>(name, input, async () => {
    context.withinBudget();
    return { result: await work() };
  });
  return result;
}

/**
 * As {@link durable}, of one of several parts that go on beside each other. No cap of the budget is looked at: which tokens are
 * counted by then is a matter of time, and no decision is.
 */
export async function durablePart<T extends Json>(
  context: Pick<RoundContext, "safePoint"> & { readonly run: Pick<RunLedger, "step"> },
  name: string,
  input: Json,
  work: () => Promise<T>,
): Promise<T> {
  context.safePoint();
  const { result } = await context.run.step<T>(name, input, async () => ({ result: await work() }));
  return result;
}
