import type { Gain } from "../../../foundation/contract/index.ts";
import { cutOffWords } from "../../../foundation/statistics/index.ts";
import { isOrdered, kindsOf } from "../kinds.ts";
import { noClaimOf } from "../no-claim.ts";
import type { RunStory } from "../story.ts";
import {
  claimOf,
  compact,
  duration,
  frontierWord,
  oneOf,
  outcomeOf,
  percent,
  plural,
  unbroken,
  whole,
} from "../words.ts";
import { type Content, html, type Markup, prose } from "./html.ts";
import { intervalWords, points } from "./page-words.ts";
import { niceTicks } from "./scale.ts";

/** What the run came to, first of all: the gain with its interval, or why none is claimed; and four numbers beside it. */
export function headline(story: RunStory): Markup {
  return html`<section class="hero ${heroKind(story)}" aria-label="What was gained">
<div>${story.audit === null ? noClaim(story) : claim(story.audit.gain, story)}</div>
<dl class="tiles">${frontierTile(story)}${roundsTile(story)}${labelsTile(story)}${timeTile(story)}</dl>
</section>`;
}

function heroKind({ gain }: RunStory): string {
  const claimed = gain === null ? "not-shown" : claimOf(gain);
  return claimed === "not-shown" ? "" : claimed;
}

function claim(gain: Gain, { audit, state }: RunStory): Markup {
  const words = {
    gain: "Gain over the base, on audit items",
    loss: "Loss against the base, on audit items",
    "not-shown": "Difference to the base, on audit items",
  };
  const doubt =
    claimOf(gain) === "not-shown"
      ? html`<p class="why"><strong>No gain is shown:</strong> the interval holds 0.</p>`
      : null;
  const earlier =
    state === "running" || state === "interrupted" ? " This audit is from before the run went on." : "";
  return html`<p class="eyebrow">${words[claimOf(gain)]}</p>
<p class="headline">${points(gain.mean)}<small>points</small></p>
<p class="interval">95 % interval ${intervalWords(gain)}</p>
${rangeOf(gain)}${doubt}${cutOff(audit)}
<p class="why">The champion of round ${audit?.championRound ?? 0} against the base: the mean paired difference over the target distribution, ${whole(gain.pairs)} pairs of answers. Audit items are answered after every decision is made; nothing learns from them or is steered by them.${earlier}</p>`;
}

function cutOff(audit: RunStory["audit"]): Markup | null {
  const words = audit === null ? undefined : cutOffWords(audit.before, audit.after);
  return words === undefined ? null : html`<p class="why">${words}.</p>`;
}

function noClaim(story: RunStory): Markup {
  const begun = story.state === "empty" && story.run !== "";
  const reasons = begun
    ? [`run ${story.run} has begun, and nothing of it is stored yet: a later report says more`]
    : noClaimOf(story).reasons;
  return html`<p class="eyebrow">Gain over the base</p>
<p class="headline words">${titleOf(story)}</p>
${reasons.map((reason) => html`<p class="why">${prose(unbroken(sentence(reason)))}</p>`)}`;
}

function titleOf({ run, state, facts, champion }: RunStory): string {
  if (state === "empty") return run === "" ? "Nothing has happened yet" : "Nothing is measured yet";
  if (facts?.observe === true) return "Decisions were only recorded";
  if (state === "running" || state === "interrupted") return "No claim yet";
  return champion.round === 0 ? "No gain" : "No gain is claimed";
}

function sentence(text: string): string {
  const whole = text.charAt(0).toUpperCase() + text.slice(1);
  return /[.!?]$/.test(whole) ? whole : `${whole}.`;
}

/** The interval on a line that also holds 0: how sure it is, at a glance. */
function rangeOf({ mean, interval }: Gain): Markup {
  const [low, high] = [Math.min(0, interval.low) * 100, Math.max(0, interval.high) * 100];
  const ticks = niceTicks(low, high, 5);
  const [first, last] = [ticks[0] ?? 0, ticks.at(-1) ?? 1];
  const x = (value: number): string => (10 + ((value - first) / (last - first || 1)) * 380).toFixed(1);
  return html`<svg class="range" viewBox="0 0 400 46" role="img" aria-label="95 % interval from ${points(interval.low)} to ${points(interval.high)} points, mean ${points(mean)}">
<line class="axis" x1="10" x2="390" y1="24" y2="24"/>
${ticks.map((tick) => html`<line class="axis" x1="${x(tick)}" x2="${x(tick)}" y1="24" y2="${tick === 0 ? 4 : 29}"/><text x="${x(tick)}" y="43" text-anchor="middle">${tick === 0 ? "0" : points(tick / 100).replace(/\.0$/, "")}</text>`)}
<rect x="${x(interval.low * 100)}" y="9" width="${Math.max(2, Number(x(interval.high * 100)) - Number(x(interval.low * 100))).toFixed(1)}" height="10" rx="5" fill="var(--accent)" opacity=".35"/>
<circle cx="${x(mean * 100)}" cy="14" r="5.5" fill="var(--accent)"/></svg>`;
}

function tile(name: string, value: Content, note: Content): Markup {
  return html`<div><dt>${name}</dt><dd>${value}<small>${typeof note === "string" ? unbroken(note) : note}</small></dd></div>`;
}

function frontierTile(story: RunStory): Markup {
  const { frontier, facts, champion, rounds } = story;
  if (!isOrdered(facts)) return kindsTile(story);
  const unit = facts?.unit ?? "difficulty";
  if (frontier === null) return tile("Frontier", "–", "not measured yet");
  const { before, after, split } = frontier;
  const last = rounds.findLast(({ validation }) => validation !== null)?.validation;
  const meaning = `every ${oneOf(unit)} up to there is at least 90 % right`;
  if (facts?.observe === true && last != null)
    return tile(
      "Frontier",
      `${frontierWord(before)} → ${frontierWord(last.frontier90)}`,
      `of the base and of the last candidate: ${meaning} (validation items)`,
    );
  const value =
    champion.round === 0 || (before === null && after === null)
      ? frontierWord(after)
      : `${frontierWord(before)} → ${frontierWord(after)}`;
  return tile("Frontier", value, `${meaning} (${split} items)`);
}

/** More kinds than these are in the picture of accuracy. */
const mostKinds = 4;

function kindsTile(story: RunStory): Markup {
  const measured = kindsOf(story);
  if (measured === null) return tile("Right", "–", "not measured yet");
  const { kinds, split } = measured;
  const lines = kinds
    .slice(0, mostKinds)
    .map(
      ({ name, before, after }) =>
        html`<span class="kind"><span>${name}</span> <b>${before === null ? "" : `${percent(before)} → `}${percent(after)}</b></span>`,
    );
  const more = kinds.length > mostKinds ? `and ${kinds.length - mostKinds} more kinds, ` : "";
  return tile("Right, by kind", lines, `${more}on ${split} items`);
}

function roundsTile({ rounds, facts }: RunStory): Markup {
  const decided = rounds.filter(({ decision }) => decision !== null);
  if (decided.length === 0) return tile("Promoted", "–", "nothing decided yet");
  const promoted = rounds.filter((round) => outcomeOf(round) === "promoted").length;
  const over = rounds.filter(({ finished }) => finished).length;
  const note = facts === null ? plural(over, "round") : `${over} of ${plural(facts.rounds, "round")} played`;
  return tile("Promoted", `${promoted} of ${decided.length}`, note);
}

function labelsTile({ rounds }: RunStory): Markup {
  const kept = rounds.flatMap(({ training }) => training?.keptLabelAccuracy ?? []);
  const raw = rounds.flatMap(({ training }) => training?.rawLabelAccuracy ?? []);
  if (kept.length === 0) return tile("Kept labels right", "–", "not measured");
  const least = (values: readonly number[]): string => percent(Math.min(...values));
  return tile(
    "Kept labels right",
    least(kept),
    html`in the worst round${raw.length > 0 ? `; before the reward ${least(raw)}` : ""}`,
  );
}

function timeTile({ cost }: RunStory): Markup {
  if (cost === null) return tile("Time", "–", "not metered yet");
  const { wallSeconds, busySeconds, availableSeconds, tokensSampled, tokensTrained } = cost;
  const busy = availableSeconds > 0 ? `engine busy ${percent(busySeconds / availableSeconds, 0)}; ` : "";
  return tile(
    "Time",
    duration(wallSeconds),
    `${busy}${compact(tokensSampled)} tokens sampled, ${compact(tokensTrained)} trained`,
  );
}
