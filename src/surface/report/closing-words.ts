import { type GuardFinding, isUnmeasured } from "../../foundation/contract/index.ts";
import { cutOffWords } from "../../foundation/statistics/index.ts";
import { spentOf } from "../../loop/run/budget.ts";
import { baselinesWords } from "./baseline-words.ts";
import { guardVerdict, stopReason } from "./guard-verdict.ts";
import { kindsOf, kindWords } from "./kinds.ts";
import { price } from "./marginal-words.ts";
import { moreWords } from "./more-words.ts";
import { noClaimOf } from "./no-claim.ts";
import { openIn, questionWords } from "./question-words.ts";
import { roundTable } from "./round-table.ts";
import type { RunStory } from "./story.ts";
import { type Environment, speaksUnicode } from "./terminal/abilities.ts";
import { wrapText } from "./terminal/display-width.ts";
import { asciiGlyphs, type Glyphs, unicodeGlyphs } from "./terminal/glyphs.ts";
import { printable } from "./terminal/paint.ts";
import {
  claimOf,
  compact,
  duration,
  frontierWord,
  listRounds,
  oneOf,
  percent,
  plural,
  rollbackWord,
  signedPoints,
  unbroken,
  whole,
} from "./words.ts";

export interface ClosingOptions {
  /** Where the report lies. */
  readonly report?: string;
  /** Where the words are read: a locale without UTF-8 gets ASCII only. */
  readonly environment?: Environment;
  /** Cells of a line, where reasons are to be cut to one. */
  readonly columns?: number;
  /** The project folder, as a command in the reader's place names it; default the place itself. */
  readonly where?: string;
}

/**
 * What a run came to, in a few plain lines: the gain on audit items, the frontier, each round and why, guards, cost; and last,
 * where a guard acted, what was wrong and what to do. For a run that goes on, what it has come to so far.
 *
 * @example
 * for (const line of closingWords(tellRun(events), { report: "report.html" })) console.log(line);
 */
export function closingWords(story: RunStory, options: ClosingOptions = {}): string[] {
  const { report, environment, columns = Number.POSITIVE_INFINITY } = options;
  const unicode = environment === undefined || speaksUnicode(environment);
  const glyphs = unicode ? unicodeGlyphs : asciiGlyphs;
  const table = roundTable(story, columns, glyphs);
  const entry = (name: string, texts: readonly string[], indent = column): string[] =>
    texts
      .flatMap((text) => broken(printable(text, glyphs), columns - indent, glyphs))
      .map((line, index) => (index === 0 ? name : "").padEnd(indent) + line);
  const lines = [
    ...entry("", [headline(story)], 0),
    "",
    ...entry("gain", gainWords(story)),
    ...entry("frontier", frontierWords(story)),
    ...entry("kinds", kindsWords(story)),
    ...(table.length === 0 ? [] : ["", ...table, ""]),
    ...entry("rollback", rollbackWords(story)),
    ...entry("guards", guardWords(story)),
    ...entry("baselines", baselinesWords(story)),
    ...entry("cost", costWords(story)),
    ...entry("next", nextWords(story)),
    // Commands are copied: they are never broken.
    ...waiting(story, options.where, glyphs).map(
      (text, index) => (index === 0 ? "waits" : "").padEnd(column) + text,
    ),
    // A path is copied: it is never broken.
    ...(report === undefined ? [] : [`${"report".padEnd(column)}${report}`]),
    // What a guard acted upon is what a reader must not miss: it stands where the eye ends.
    "",
    ...guardVerdict(story).flatMap(([name, text]) => entry(name, [text])),
  ];
  return lines.slice(0, lines.findLastIndex((line) => line !== "") + 1);
}

/** Of promotions that a person is asked of, where a cap has ended the run. */
const afterCap =
  "The run has ended and does not wait: once a promotion is answered, `whetstone run` acts on it, under the spent budget too.";

const column = 10;
const leastWidth = 20;
const mostLines = 4;

function broken(text: string, width: number, { ellipsis }: Glyphs): string[] {
  if (!Number.isFinite(width)) return [text];
  return wrapText(unbroken(text), Math.max(leastWidth, width), mostLines, ellipsis);
}

function headline(story: RunStory): string {
  const { facts, state, rounds, current, reason, interruptions } = story;
  if (state === "empty") return "Nothing has happened in this run yet.";
  const name = facts?.name ?? story.run;
  const of = facts === null ? "" : ` of ${facts.rounds}`;
  const at = current?.round ?? rounds.at(-1)?.round ?? 0;
  const place = at === 0 ? "in its preparation" : `in round ${at}${of}`;
  const stage = current === null ? "" : `, at ${current.stage}`;
  const wall = story.cost === null ? "" : `, ${duration(story.cost.wallSeconds)}`;
  const observed = facts?.observe ? ", decisions recorded only" : "";
  switch (state) {
    case "finished":
      return `${name}: ${plural(rounds.length, "round")}${wall}${observed}`;
    case "stopped-by-guard":
      return `${name}: stopped by a guard in round ${at}${of}: ${stopReason(story)}`;
    case "budget-spent":
      return `${name}: stopped ${place}${stage}: ${reason ?? ""}`;
    case "interrupted":
      return `${name}: interrupted ${place}${stage}: ${interruptions.at(-1)?.reason ?? ""}`;
    case "running":
      return `${name}: ${place}${stage}${openIn(story).length > 0 ? ", waits for a person" : ""}${observed}`;
  }
}

/** What may be claimed, or why nothing may. */
function gainWords(story: RunStory): string[] {
  if (story.audit === null) {
    const { verdict, reasons } = noClaimOf(story);
    return reasons.map((reason, index) => (index === 0 && verdict !== "" ? `${verdict}: ${reason}` : reason));
  }
  const { gain, championRound } = story.audit;
  const { interval, mean, pairs } = gain;
  const range = `95 % interval ${signedPoints(interval.low)} to ${signedPoints(interval.high)}, ${whole(pairs)} pairs`;
  const cut = cutOffWords(story.audit.before, story.audit.after);
  const doubt = {
    gain: [],
    loss: ["The champion is worse than the base."],
    "not-shown": ["No gain is shown: the interval holds 0."],
  };
  return [
    `${signedPoints(mean)} points on audit items (${range})`,
    `champion of round ${championRound} against the base, mean paired difference over the target distribution`,
    ...(cut === undefined ? [] : [cut]),
    ...doubt[claimOf(gain)],
  ];
}

function frontierWords({ frontier, facts, champion, audit }: RunStory): string[] {
  if (frontier === null) return [];
  const { before, after, split } = frontier;
  const measured = `on ${split} items`;
  const unit = facts?.unit ?? "difficulty";
  if (before === null && after === null)
    return [`no ${oneOf(unit)} up to which all is at least 90 % right, ${measured}`];
  if (champion.round === 0 && audit === null)
    return [
      `${unit} ${frontierWord(after)} (every ${oneOf(unit)} up to there is at least 90 % right, ${measured})`,
    ];
  return [
    `${unit} ${frontierWord(before)} → ${frontierWord(after)} (every ${oneOf(unit)} up to there is at least 90 % right, ${measured})`,
  ];
}

function kindsWords(story: RunStory): string[] {
  const measured = kindsOf(story);
  return measured === null ? [] : [`${kindWords(measured).join(", ")} (right, on ${measured.split} items)`];
}

function rollbackWords({ rollbacks }: RunStory): string[] {
  return rollbacks.map((rollback) => `after round ${rollback.round}: ${rollbackWord(rollback)}`);
}

/** One line for each guard and answer that was not `ok`. */
function guardWords({ rounds }: RunStory): string[] {
  const loud = new Map<string, { readonly rounds: number[]; latest: GuardFinding }>();
  for (const { round, findings } of rounds) {
    for (const finding of findings) {
      if (finding.answer === "ok") continue;
      const key = `${finding.guard} says ${finding.answer}`;
      const known = loud.get(key) ?? { rounds: [], latest: finding };
      known.rounds.push(round);
      known.latest = finding;
      loud.set(key, known);
    }
  }
  if (loud.size === 0) return contentWords(rounds.flatMap(({ findings }) => findings));
  return [...loud].map(
    ([key, { rounds: heard, latest }]) =>
      `${key} in ${heard.length === 1 ? "round" : "rounds"} ${listRounds(heard)}: ${latest.evidence}`,
  );
}

/** Where none found fault: those that could not measure are not content, they are blind. */
function contentWords(findings: readonly GuardFinding[]): string[] {
  const named = (chosen: readonly GuardFinding[]): Set<string> => new Set(chosen.map(({ guard }) => guard));
  const blind = named(findings.filter(isUnmeasured));
  const measured = named(findings.filter((finding) => !isUnmeasured(finding)));
  if (blind.size + measured.size === 0) return [];
  if (blind.size === 0) return ["all are content"];
  if (measured.size === 0) return [`none could measure: all ${blind.size} had nothing to judge`];
  const sometimes = [...blind].filter((guard) => measured.has(guard));
  const never = [...blind].filter((guard) => !measured.has(guard));
  return [
    [
      "all that could measure are content",
      ...(never.length === 0 ? [] : [`${never.join(", ")} could not`]),
      ...(sometimes.length === 0 ? [] : [`${sometimes.join(", ")} could not in some rounds`]),
    ].join("; "),
  ];
}

/** What more budget would buy, once the run has ended. */
function nextWords(story: RunStory): string[] {
  if (story.state !== "finished" && story.state !== "budget-spent") return [];
  const words = moreWords(story);
  return words === undefined ? [] : [words];
}

function waiting(story: RunStory, where: string | undefined, glyphs: Glyphs): string[] {
  const open = openIn(story);
  const lines = open.flatMap((question) =>
    questionWords(question, where).map((line, index) => (index === 0 ? line : `  ${line}`)),
  );
  const ended = story.state === "budget-spent" && open.some(({ about }) => about === "promotion");
  return [...lines, ...(ended ? [afterCap] : [])].map((line) => printable(line, glyphs));
}

function costWords({ audit, cost, engine, stop }: RunStory): string[] {
  if (cost === null) return [];
  const { wallSeconds, busySeconds, availableSeconds, tokensSampled, tokensTrained } = cost;
  const busy = availableSeconds > 0 ? `, engine busy ${percent(busySeconds / availableSeconds, 0)}` : "";
  const charged = cost.currency === undefined ? "" : `, ${price(cost.currency, engine)}`;
  const more = stop !== null && spentOf(stop.cap, cost) > stop.spent;
  const audited = audit === null ? "" : ", and the champion audited";
  const beyond = more ? `; after the cap what was under way was finished${audited}` : "";
  return [
    `${duration(wallSeconds)}${busy}, ${compact(tokensSampled)} tokens sampled, ${compact(tokensTrained)} trained${charged}${beyond}`,
  ];
}
