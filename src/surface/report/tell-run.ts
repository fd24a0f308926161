import type { Baseline, Cost, EventOf, Measurement, StoredEvent } from "../../foundation/contract/index.ts";
import { questionsOf } from "../../loop/oversight/index.ts";
import { marginalListener } from "../../loop/run/marginal.ts";
import { isOrdered } from "./kinds.ts";
import { newRound, type RoundDraft, roundHears } from "./round-draft.ts";
import type {
  ClaimStory,
  EngineStory,
  OpenedStory,
  PauseStory,
  RollbackStory,
  RunFacts,
  RunState,
  RunStory,
} from "./story.ts";
import { copyOf, currentOf, frontierOf, sumOf } from "./story-parts.ts";

/**
 * The story of a run from its stored events: pure, and content with any part of them. What was not heard is null or empty;
 * an event heard twice counts once.
 *
 * @example
 * for (const { round, decision } of tellRun(events).rounds) console.log(round, decision?.reason);
 */
export function tellRun(events: readonly StoredEvent[]): RunStory {
  const listener = storyListener();
  for (const event of [...events].sort((a, b) => a.id - b.id)) listener.hear(event);
  return listener.story();
}

/** The same fold, an event at a time, for those who watch. */
export interface StoryListener {
  hear(event: StoredEvent): void;
  story(): RunStory;
}

export function storyListener(): StoryListener {
  const heard = new Set<number>();
  const rounds = new Map<number, RoundDraft>();
  const interruptions: PauseStory[] = [];
  const resumptions: Omit<PauseStory, "reason">[] = [];
  let run = "";
  let facts: RunFacts | null = null;
  let engine: EngineStory | null = null;
  let state: RunState = "empty";
  let reason: string | null = null;
  let stop: RunStory["stop"] = null;
  let champion: RunStory["champion"] = { round: 0, checkpoint: null };
  let audit: ClaimStory | null = null;
  const audits: ClaimStory[] = [];
  const rollbacks: RollbackStory[] = [];
  const opened: OpenedStory[] = [];
  const overseen: StoredEvent[] = [];
  const marginal = marginalListener();
  const baselines = new Map<string, Baseline>();
  let leftOut: string | null = null;
  let cost: Cost | null = null;
  let startedAt: number | null = null;
  let lastAt: number | null = null;

  const roundOf = (round: number): RoundDraft => {
    const known = rounds.get(round) ?? newRound(round);
    rounds.set(round, known);
    return known;
  };

  /** The round that is under way. */
  const newest = (round: number): number => Math.max(round, ...rounds.keys());

  const hear = ({ id, run: of, at, event }: StoredEvent): void => {
    if (heard.has(id)) return;
    heard.add(id);
    run ||= of;
    startedAt ??= at;
    lastAt = at;
    marginal.hear(event);
    switch (event.type) {
      case "run-started": {
        const { type: _type, run: _run, ...settled } = event;
        facts = settled;
        startedAt = at;
        break;
      }
      case "run-resumed":
        resumptions.push({ round: newest(event.round), at });
        // More may have been asked for since.
        if (facts !== null) facts = { ...facts, rounds: event.rounds, ...limitsOf(event) };
        break;
      case "question-asked":
      case "question-answered":
        overseen.push({ id, run: of, at, event });
        // Who waits beside a run that has ended does not make it go on.
        return;
      case "decision-made":
        overseen.push({ id, run: of, at, event });
        roundHears(roundOf(event.round), event, at);
        break;
      case "budget-spent":
        state = "budget-spent";
        reason = event.reason;
        stop = event;
        return;
      case "engine-started": {
        const { type: _type, ...started } = event;
        engine = started;
        break;
      }
      case "run-interrupted":
        interruptions.push({ round: newest(event.round), at, reason: event.reason });
        state = "interrupted";
        reason = event.reason;
        return;
      case "run-finished":
        champion = { round: event.championRound, checkpoint: event.champion };
        // The promotion itself may be missing from a part of the events.
        if (audit?.championRound === 0) audit = { ...audit, championRound: event.championRound };
        state = event.outcome === "rounds-spent" ? "finished" : event.outcome;
        reason = event.reason;
        return;
      case "cost-metered": {
        // An interruption meters the round that it cut off, though it names the last one that ended.
        const round = roundOf(newest(event.round));
        if (!round.finished || round.spent === null) round.spent = sumOf(round.spent, event.cost, cost);
        cost = event.cost;
        break;
      }
      case "baseline-measured": {
        const { type: _type, round: _round, ...baseline } = event;
        baselines.set(`${event.mode} ${event.baseline}`, baseline);
        leftOut = null;
        break;
      }
      case "baselines-left-out":
        leftOut = event.reason;
        break;
      case "audit-measured":
        if (event.comparison === "base") {
          const { round, before, after, gain } = event;
          audit = { round, before, after, gain, championRound: champion.round };
          audits.push(audit);
        } else roundHears(roundOf(event.round), event, at);
        break;
      case "candidate-promoted":
        champion = { round: event.round, checkpoint: event.checkpoint };
        roundHears(roundOf(event.round), event, at);
        break;
      case "champion-rolled-back": {
        overseen.push({ id, run: of, at, event });
        const { from, to, reason: why } = event;
        champion = to;
        // An audit says something of the weights that it was of, and of no others.
        audit = audits.findLast(({ after }) => after.weightVersion === to.checkpoint) ?? null;
        rollbacks.push({ round: event.round, at, from: from.round, to: to.round, reason: why });
        if (event.round > 0) roundHears(roundOf(event.round), event, at);
        // Nobody runs because of it.
        return;
      }
      case "certificate-opened":
        opened.push({ round: event.round, at, opening: event.opening, reason: event.reason });
        // Nobody runs because of it.
        return;
      default:
        // A kind of event that a newer version wrote has nothing to say here.
        if ("round" in event) roundHears(roundOf(event.round), event, at);
    }
    // Whatever follows an end or an interruption says that the run goes on.
    state = "running";
    reason = null;
    stop = null;
  };

  const story = (): RunStory => {
    const preparation = rounds.get(0) ?? null;
    const later = [...rounds.values()].filter(({ round }) => round > 0).sort((a, b) => a.round - b.round);
    const validationOf = (round: number): Measurement | null => rounds.get(round)?.validation ?? null;
    return {
      run,
      facts,
      engine,
      state,
      reason,
      stop,
      current: currentOf([...(preparation ? [preparation] : []), ...later], state),
      preparation: preparation === null ? null : copyOf(preparation),
      rounds: later.map(copyOf),
      champion: { ...champion, checkpoint: champion.checkpoint ?? preparation?.checkpoint ?? null },
      audit,
      gain: audit?.gain ?? null,
      frontier: isOrdered(facts) ? frontierOf(audit, validationOf(0), validationOf(champion.round)) : null,
      interruptions: [...interruptions],
      resumptions: [...resumptions],
      rollbacks: [...rollbacks],
      opened: [...opened],
      questions: questionsOf(overseen),
      baselines: { plan: facts?.baselines ?? null, leftOut, measured: [...baselines.values()] },
      marginal: marginal.read(),
      cost,
      startedAt,
      lastAt,
    };
  };
  return { hear, story };
}

function limitsOf({ budget, ask }: EventOf<"run-resumed">): Pick<RunFacts, "budget" | "ask"> {
  return { ...(budget === undefined ? {} : { budget }), ...(ask === undefined ? {} : { ask }) };
}
