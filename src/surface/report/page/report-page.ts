import type { Json } from "../../../foundation/base/index.ts";
import { guardVerdict, stopReason } from "../guard-verdict.ts";
import { openIn } from "../question-words.ts";
import type { RunState, RunStory } from "../story.ts";
import { capital, duration } from "../words.ts";
import { baselinesSection } from "./baselines-section.ts";
import { costSection } from "./cost-section.ts";
import { decisionsSection } from "./decisions-section.ts";
import { type Definition, definitionsSection, guardsIn } from "./definitions-section.ts";
import { guardsSection } from "./guards-section.ts";
import { headline } from "./headline.ts";
import { heatSection } from "./heat-section.ts";
import { type Content, html, type Markup, prose, raw } from "./html.ts";
import { labelsSection } from "./labels-section.ts";
import { limitsSection } from "./limits-section.ts";
import { lossSection } from "./loss-section.ts";
import { metersSection } from "./meters-section.ts";
import { naiveGainSection } from "./naive-gain-section.ts";
import { oversightSection } from "./oversight-section.ts";
import { moment } from "./page-words.ts";
import { provenanceSection } from "./provenance-section.ts";
import { samplesSection } from "./samples-section.ts";
import { pageStyle } from "./style/page-style.ts";
import { partsStyle } from "./style/parts-style.ts";
import { tokenStyle } from "./style/tokens.ts";

export interface ReportOptions {
  readonly generatedAt: Date;
  /** Of the meters, and of guards that the configuration does not describe. */
  readonly definitions?: readonly Definition[];
  /** The run's whole configuration, as the ledger describes it; it defines the run's guards. */
  readonly configuration?: Json;
}

/**
 * A run as one HTML file that needs nothing else: no network, no script, readable on paper. Its content security policy
 * forbids whatever it does not hold itself, so that nothing in a task's text can come alive.
 *
 * @example
 * await writeFile("report.html", reportPage(tellRun(events), { generatedAt: new Date() }));
 */
export function reportPage(story: RunStory, options: ReportOptions): string {
  const { generatedAt, definitions = [], configuration } = options;
  const name = story.facts?.name ?? (story.run === "" ? "a run" : story.run);
  const parts: readonly (readonly [id: string, title: string, content: Content])[] = [
    ["accuracy", "Accuracy", heatSection(story)],
    ["decisions", "Decisions", decisionsSection(story)],
    ["naive", "Naive gain", naiveGainSection(story)],
    ["baselines", "Baselines", baselinesSection(story)],
    ["oversight", "Oversight", oversightSection(story)],
    ["labels", "Labels", labelsSection(story)],
    ["loss", "Training loss", lossSection(story)],
    ["meters", "Meters", metersSection(story)],
    ["guards", "Guards", guardsSection(story)],
    ["answers", "Answers", samplesSection(story)],
    ["cost", "Cost", costSection(story)],
    ["limits", "What is not proven", limitsSection(story)],
    ["provenance", "Where it comes from", provenanceSection(story, configuration)],
    ["words", "Words", definitionsSection(story, [...definitions, ...guardsIn(configuration)])],
  ];
  const there = parts.filter(([, , content]) => content !== null);
  return html`${raw("<!doctype html>")}
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width,initial-scale=1">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'">
<meta name="color-scheme" content="light dark"><meta name="referrer" content="no-referrer"><meta name="generator" content="Whetstone">
<title>${name} · Whetstone report</title>
<style>${raw(tokenStyle + pageStyle + partsStyle)}</style></head>
<body><a class="skip" href="#main">Skip to the content</a><div class="page">
<header class="masthead">${mark}<h1>${name}</h1>${stateChip(story)}${whenOf(story)}</header>
<main id="main">${noticeOf(story)}${verdictOf(story)}${openIn(story).map(
    (question) =>
      html`<p class="notice"><code>${question.id}</code> waits for a person: ${question.text}? <code>whetstone approve ${question.id}</code> or <code>whetstone reject ${question.id}</code> answers.</p>`,
  )}
${headline(story)}
<nav class="contents" aria-label="Contents">${there.map(([id, title]) => html`<a href="#${id}">${title}</a>`)}</nav>
${there.map(([, , content]) => content)}</main>
<footer>Written by Whetstone${story.facts === null ? "" : ` ${story.facts.version}`} on ${moment(generatedAt)} from the run’s ledger.</footer>
</div></body></html>
`.markup;
}

/** A blade above a stone. */
const mark = raw(
  `<svg class="mark" viewBox="0 0 24 24" aria-hidden="true"><rect x="1.5" y="15.5" width="21" height="6" rx="1.8" fill="currentColor"/><path d="M5 11.5 20 4" stroke="currentColor" stroke-width="3.2" stroke-linecap="round" opacity=".6"/></svg>`,
);

const states: Readonly<Record<RunState, readonly [kind: string, word: string]>> = {
  empty: ["", "not begun"],
  running: ["warn", "not finished"],
  interrupted: ["warn", "interrupted"],
  finished: ["good", "finished"],
  "stopped-by-guard": ["bad", "stopped by a guard"],
  "budget-spent": ["good", "budget spent"],
};

function stateChip({ state, run }: RunStory): Markup {
  const [kind, word] = state === "empty" && run !== "" ? (["warn", "begun"] as const) : states[state];
  return html`<span class="chip ${kind}">${word}</span>`;
}

function whenOf({ startedAt, cost }: RunStory): Content {
  if (startedAt === null) return null;
  const took = cost === null ? "" : `, ${duration(cost.wallSeconds)}`;
  return html`<span class="when">${moment(startedAt)}${took}</span>`;
}

/** What the terminal ends with where a guard acted: whoever opens the page must not miss it either. */
function verdictOf(story: RunStory): Content {
  const verdict = guardVerdict(story);
  return verdict.length === 0
    ? null
    : html`<section class="notice verdict" aria-label="What a guard did"><dl>${verdict.map(([name, text]) => html`<dt>${capital(name)}</dt><dd>${prose(text)}</dd>`)}</dl></section>`;
}

function noticeOf(story: RunStory): Content {
  const { state, reason, current, rounds, facts, interruptions } = story;
  const round = current?.round ?? rounds.at(-1)?.round ?? 0;
  const place = `${round === 0 ? "the preparation" : `round ${round}${facts === null ? "" : ` of ${facts.rounds}`}`}`;
  const at = current === null ? "" : ` (${current.stage})`;
  if (state === "running") return html`<p class="notice">The run stands in ${place}${at}.</p>`;
  if (state === "interrupted")
    return html`<p class="notice">Interrupted in ${place}${at}: ${prose(interruptions.at(-1)?.reason ?? "")}</p>`;
  if (state === "stopped-by-guard")
    return html`<p class="notice">Stopped by a guard in ${place}: ${prose(stopReason(story))}</p>`;
  if (state === "budget-spent")
    return html`<p class="notice">Stopped in ${place}${at}: ${reason ?? ""}. A raised budget goes on from there.</p>`;
  return null;
}
