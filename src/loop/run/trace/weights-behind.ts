import type { StoredEvent } from "../../../foundation/contract/index.ts";
import {
  countOf,
  type ExampleOrigin,
  isRealOrigin,
  type LineageReader,
  type TrainingHeader,
} from "../../../foundation/ledger/index.ts";
import type { TracedOrigin, TracedRound, TracedWeights } from "./trace-schema.ts";

type Index = LineageReader["index"];

/** What the search for roots works with. */
export interface TraceGround {
  readonly index: Index;
  /** Events of every run of the folder. */
  readonly eventsOf: (run: string) => readonly StoredEvent[];
}

/**
 * The weights that these came from, each once: down the line of what was trained on from what, then down the lines of the weights
 * that wrote answers which any of them learnt from.
 */
export function weightsBehind(ground: TraceGround, starts: readonly string[]): TracedWeights[] {
  const found = new Map<string, TracedWeights>();
  const passed = new Set<string>();
  const follow = (start: string): void => {
    for (let at: string | null = start; at !== null && !passed.has(at); ) {
      const { weights, stretches } = weightsOf(ground, at);
      for (const checkpoint of stretches) passed.add(checkpoint);
      found.set(at, weights);
      at = weights.from;
    }
  };
  for (const start of starts) follow(start);
  // A Map goes on to what is added while it is gone through.
  for (const { training } of found.values())
    for (const { writer } of training?.sources ?? [])
      if (writer !== null && writer.checkpoint !== null) follow(writer.checkpoint);
  return [...found.values()];
}

/** Weights, with all stretches of the one pass that made them taken together. */
function weightsOf(
  ground: TraceGround,
  checkpoint: string,
): { readonly weights: TracedWeights; readonly stretches: readonly string[] } {
  const { index } = ground;
  const last = index.headerOf(checkpoint);
  if (last === undefined) return { weights: rootOf(ground, checkpoint), stretches: [checkpoint] };
  const stretches = [last];
  for (let before = index.headerOf(last.from); before !== undefined && samePass(before, last); ) {
    stretches.push(before);
    before = index.headerOf(before.from);
  }
  const first = stretches.at(-1) ?? last;
  const checkpoints = stretches.map((stretch) => stretch.checkpoint);
  const shares = index.sharesOf(checkpoints.toReversed());
  const { stage, part, method, reward, task, verifier, run, round, role } = last;
  return {
    stretches: checkpoints,
    weights: {
      checkpoint,
      run,
      round,
      role,
      from: first.from,
      model: null,
      training: {
        stage,
        part,
        steps: [first.steps[0], last.steps[1]],
        method,
        reward,
        task,
        verifier,
        ...countOf(shares),
        sources: shares.map(({ origin, ...share }) => ({
          ...originIn(index, origin, last),
          ...share,
          samples: [...share.samples],
        })),
      },
    },
  };
}

function samePass(one: TrainingHeader, other: TrainingHeader): boolean {
  return (
    one.run === other.run &&
    one.round === other.round &&
    one.role === other.role &&
    one.part === other.part &&
    one.stage === other.stage
  );
}

/** An origin in words of the run: which weights wrote it, and which pass kept it. */
export function originIn(index: Index, origin: ExampleOrigin, learntIn: TrainingHeader): TracedOrigin {
  const { kind, items, name, rollouts, role } = origin;
  const real = isRealOrigin(origin);
  const common = { kind, items: { kind: items, name }, real, rollouts };
  if (kind === "demonstrations" || role === null) return { ...common, writer: null, kept: null };
  const pass = rollouts === null ? learntIn : index.passOf(rollouts);
  const checkpoint = origin.writer ?? pass?.writers[role] ?? null;
  return { ...common, writer: { checkpoint, role }, kept: pass === undefined ? null : keptBy(pass) };
}

function keptBy({ method, reward, verifier, run, round, role }: TrainingHeader): TracedOrigin["kept"] {
  return { method, reward, verifier, run, round, role };
}

/** How the first weights of a role are called. */
const firstWeights = /^(.+)\/round-0-(.+)-0$/;

/** Weights that nothing here trained: a role's first, or those of a run that kept no lineage. */
function rootOf({ eventsOf }: TraceGround, checkpoint: string): TracedWeights {
  const [, run = null, role = null] = firstWeights.exec(checkpoint) ?? [];
  const started = run === null ? undefined : eventsOf(run).find(({ event }) => event.type === "run-started");
  const model = started?.event.type === "run-started" ? started.event.model : null;
  const named = { checkpoint, run, round: run === null ? null : 0, role };
  return { ...named, from: null, training: null, model };
}

/** The rounds that made these weights, oldest first, each with all that it trained. */
export function roundsOf(index: Index, weights: readonly TracedWeights[]): TracedRound[] {
  const rounds = new Map<string, { readonly run: string; readonly round: number }>();
  for (const { run, round, training } of weights)
    if (training !== null && run !== null && round !== null) rounds.set(`${run}/${round}`, { run, round });
  const numberOf = (run: string): number => Number.parseInt(run, 10);
  return [...rounds.values()]
    .sort((a, b) => numberOf(a.run) - numberOf(b.run) || a.round - b.round)
    .map(({ run, round }) => {
      const { tokens, realTokens } = index.roundOf(run, round);
      return { run, round, tokens, realTokens, realShare: shareOf(realTokens, tokens) };
    });
}

export function shareOf(part: number, whole: number): number | null {
  return whole === 0 ? null : part / whole;
}
