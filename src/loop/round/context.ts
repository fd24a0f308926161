import type { Clock, Json, RandomStream } from "../../foundation/base/index.ts";
import { randomStream } from "../../foundation/base/index.ts";
import type {
  Cost,
  Engine,
  EngineCapabilities,
  RunEvent,
  StageName,
  StoredEvent,
  Tokenizer,
  Watcher,
} from "../../foundation/contract/index.ts";
import type { Ledger, RunLedger } from "../../foundation/ledger/index.ts";
import type { RunDefinition } from "../run/config.ts";
import type { EnginePolicies } from "./policies.ts";
import type { SamplerShelf } from "./sampler-shelf.ts";

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
  /** A safe point: throws when the run was asked to end. */
  readonly safePoint: () => void;
}

/** The stream of a purpose in a round; the same in every attempt at it. */
export function streamOf(context: RoundContext, round: number, purpose: string): RandomStream {
  return randomStream(context.definition.seed, `round-${round}/${purpose}`);
}

/** Stores an event once and shows it. */
export function tell(context: RoundContext, key: string, event: RunEvent): void {
  const stored = context.run.append(key, event);
  if (stored !== undefined) context.watch(stored);
}

export interface StageWork<T extends Json> {
  readonly result: T;
  /** One line for people. */
  readonly summary: string;
  readonly events?: readonly RunEvent[];
}

export type StageProgress = (label: string, done: number, total: number) => void;

/**
 * One stage of a round as a durable step: it runs once however often the run is interrupted, and its result and events are
 * stored together or not at all.
 */
export async function stage<T extends Json>(
  context: RoundContext,
  round: number,
  name: StageName,
  label: string,
  work: (progress: StageProgress) => Promise<StageWork<T>>,
  /** Tells two stages of one name in a round apart. */
  part = "",
): Promise<T> {
  context.safePoint();
  const key = `round-${round}/${name}${part}`;
  tell(context, `${key}/started`, { type: "stage-started", round, stage: name, label });
  const begun = context.clock.monotonic();
  const progress: StageProgress = (what, done, total) =>
    context.watch({ type: "progress", stage: name, label: what, done, total });
  const { result, events } = await context.run.step<T>(key, null, async () => {
    const done = await work(progress);
    const seconds = (context.clock.monotonic() - begun) / 1000;
    return {
      result: done.result,
      events: [
        ...(done.events ?? []).map((event, index) => ({ key: `${key}/${index}/${event.type}`, event })),
        {
          key: `${key}/finished`,
          event: { type: "stage-finished", round, stage: name, seconds, summary: done.summary } satisfies RunEvent,
        },
      ],
    };
  });
  show(context, events);
  return result;
}

/** A part of a stage that an interruption must not make run twice. */
export async function durable<T extends Json>(
  context: RoundContext,
  name: string,
  work: () => Promise<T>,
): Promise<T> {
  context.safePoint();
  const { result } = await context.run.step<T>(name, null, async () => ({ result: await work() }));
  return result;
}

function show(context: RoundContext, events: readonly StoredEvent[]): void {
  for (const event of events) context.watch(event);
}
