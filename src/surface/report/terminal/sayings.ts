import type { EventOf, StoredEvent } from "../../../foundation/contract/index.ts";
import { baselineLine } from "../baseline-words.ts";
import { isOrdered } from "../kinds.ts";
import type { RoundStory, RunStory } from "../story.ts";
import {
  duration,
  frontierWord,
  outcomeOf,
  outcomeWord,
  percent,
  plural,
  remedyWords,
  rollbackWord,
} from "../words.ts";
import { type Line, span } from "./paint.ts";
import { column, guardLines, roundLines, roundName, type SayingOptions, styleOf } from "./round-lines.ts";

/** What an event adds to the lasting lines, if anything. `story` has heard it already. */
export function linesFor({ event }: StoredEvent, story: RunStory, options: SayingOptions): Line[] {
  const everything = options.detail === "stages";
  switch (event.type) {
    case "run-started":
      return [beginning(story, options), ...unbaselined(event)];
    case "run-resumed":
      return [
        [span(`going on with run ${event.run}: ${event.round} of ${plural(event.rounds, "round")} done`)],
      ];
    case "engine-started": {
      const { engine, device, workers, seconds } = event;
      const ready = `engine ${engine} on ${device}, ${plural(workers, "worker")}, ready in ${duration(seconds)}`;
      return [[span(ready, "faint")]];
    }
    case "engine-recovered":
      return [[span(recoveryWords(event), "warn")]];
    case "stage-finished": {
      // The decision has said it.
      if (event.stage === "decide" && roundOf(story, event.round)?.decision != null) return [];
      if (!everything) return event.round === 0 && event.stage === "evaluate" ? baseLine(story, options) : [];
      return [[span(stageWords(event, story))]];
    }
    case "round-started":
      return everything ? [[span(startWords(event, story))]] : [];
    case "decision-made": {
      const round = roundOf(story, event.round);
      // A round that has ended is decided where a person's answer came later: nothing else says it.
      if (round === undefined || !(everything || round.finished)) return [];
      return [
        [span(`${roundName(event.round)}  ${decisionWord(round)}: ${event.decision.reason}`, styleOf(round))],
      ];
    }
    case "champion-rolled-back": {
      const [from, to] = [event.from.round, event.to.round];
      return [[span(rollbackWord({ ...event, from, to, at: 0 }), "warn")]];
    }
    case "remedies-applied":
      return [[span(`${roundName(event.round)}  ${remedyWords(event)}`, "warn")]];
    case "guards-spoke":
      return event.findings.flatMap((finding) => guardLines(event.round, finding, options));
    case "baseline-measured":
      return [[span("baseline".padEnd(column), "strong"), span(baselineLine(event))]];
    case "baselines-left-out":
      return [[span(`baselines are left out: ${event.reason}`, "warn")]];
    case "round-finished": {
      const round = roundOf(story, event.round);
      return round === undefined ? [] : roundLines(round, story, options);
    }
    default:
      return [];
  }
}

function beginning({ facts, run }: RunStory, { pen }: SayingOptions): Line {
  const rounds = facts === null ? "" : plural(facts.rounds, "round");
  const method = typeof facts?.method.name === "string" ? ` of ${facts.method.name}` : "";
  const observed = facts?.observe ? `, decisions recorded only` : "";
  const separator = ` ${pen.glyphs.dot} `;
  return [
    span(facts?.name ?? "run", "strong"),
    span(
      `${separator}run ${run}${separator}${rounds}${method}${observed}${separator}seed ${facts?.seed ?? "?"}`,
    ),
  ];
}

/** Why a run is compared with nothing. */
function unbaselined({ baselines }: EventOf<"run-started">): Line[] {
  return baselines?.mode === "off" ? [[span(`no baselines: ${baselines.reason}`, "faint")]] : [];
}

function baseLine({ preparation, facts }: RunStory, { pen }: SayingOptions): Line[] {
  const validation = preparation?.validation;
  if (validation == null) return [];
  const separator = ` ${pen.glyphs.dot} `;
  const seconds = preparation?.stages.reduce((sum, stage) => sum + (stage.seconds ?? 0), 0) ?? 0;
  return [
    [
      span("base".padEnd(column), "strong"),
      span(
        `${isOrdered(facts) ? `frontier ${frontierWord(validation.frontier90)}${separator}` : ""}accuracy ${percent(validation.mean)}${separator}${duration(seconds)}`,
      ),
    ],
  ];
}

function stageWords({ round, stage, seconds, summary }: EventOf<"stage-finished">, story: RunStory): string {
  const label = roundOf(story, round)?.stages.findLast((known) => known.stage === stage)?.label ?? "";
  // Two audits may end a round: of the promotion, and of the whole run.
  const which = stage === "audit" && label !== "" ? `${label}: ` : "";
  return `${roundName(round)}  ${stage.padEnd(8)}  ${which}${summary} (${duration(seconds)})`;
}

function startWords(
  { round, plan, startFrom }: EventOf<"round-started">,
  { facts, rounds }: RunStory,
): string {
  const of = facts === null ? "" : ` of ${facts.rounds}`;
  const known = rounds.find((other) => other.round === round - 1)?.plan === plan;
  return `${roundName(round)}${of}, from the ${startFrom}${known ? "" : `: ${plan}`}`;
}

function recoveryWords({ reason, weights, replayed, seconds }: EventOf<"engine-recovered">): string {
  const steps = replayed === 0 ? "" : ` and ${plural(replayed, "step")} made again`;
  const what =
    reason === "session-lost"
      ? "the server forgot its session"
      : `a worker of the engine was lost (${reason})`;
  return `${what}; ${weights} is loaded again${steps}, in ${duration(seconds)}`;
}

function decisionWord(round: RoundStory): string {
  return outcomeOf(round) === "observed" ? `${outcomeWord(round)} (recorded only)` : outcomeWord(round);
}

function roundOf(story: RunStory, round: number): RoundStory | undefined {
  return round === 0 ? (story.preparation ?? undefined) : story.rounds.find((one) => one.round === round);
}
