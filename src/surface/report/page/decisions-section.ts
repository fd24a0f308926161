import { isUnmeasured, type Opening } from "../../../foundation/contract/index.ts";
import type { RoundStory, RunStory } from "../story.ts";
import { figure, whole } from "../words.ts";
import { type Content, html, type Markup } from "./html.ts";
import { answerChip, intervalWords, outcomeChip, points } from "./page-words.ts";
import { part } from "./part.ts";

/** What the gate decided in each round, and on what evidence. */
export function decisionsSection({ rounds, facts }: RunStory): Content {
  if (rounds.length === 0) return null;
  const observed =
    facts?.observe === true
      ? " In this run decisions were recorded only: nothing was promoted or rejected by them."
      : "";
  // Whether decision items are reused is the task's affair: in a run all of its openings are alike.
  const reused = rounds.some(({ decision }) => decision?.opening?.reused);
  return part({
    id: "decisions",
    title: "What the gate decided",
    lead: `${reused ? reusedLead : freshLead}${observed}`,
    body: html`<div class="card"><div class="scroll" tabindex="0" role="region" aria-label="Decisions"><table class="data">
<thead><tr><th scope="col" class="end">round</th><th scope="col">decision</th><th scope="col">why</th><th scope="col" class="end">opening</th><th scope="col" class="end">α of it</th>${reused ? "" : html`<th scope="col" class="end">evidence</th>`}<th scope="col" class="end">pairs</th>${reused ? "" : html`<th scope="col" class="end">observed</th>`}<th scope="col" class="end">audit gain</th><th scope="col">guards</th></tr></thead>
<tbody>${rounds.map((round) => rowOf(round, reused))}</tbody></table></div></div>`,
  });
}

const freshLead =
  "A candidate is promoted when the evidence for a gain on unused decision items reaches 1/α for its opening. What was observed there was selected upon; the gain is what the audit says.";
const reusedLead =
  "The decision items are few, so every opening uses all of them again, and nothing but the outcome leaves the gate: no evidence and no observed gain. Openings are few too, and each asks for more than the one before it; the gain is what the audit says.";

function rowOf(round: RoundStory, reused: boolean): Markup {
  const { decision, startFrom, audit, certificate } = round;
  return html`<tr><th scope="row" class="end">${round.round}</th><td>${outcomeChip(round)}</td>
<td class="why">${decision?.reason ?? html`<span class="quiet">not decided yet</span>`}${startFrom ? html`<br><span class="quiet small">from the ${startFrom}</span>` : ""}${certificate === null ? "" : html`<br><span class="quiet small">certificate <code title="${certificate}">${certificate.slice(0, 16)}…</code></span>`}</td>
${decision === null ? unopened("not yet", reused) : decision.opening === null ? unopened("not opened", reused) : openingCells(decision.opening)}
<td class="end">${audit ? html`${points(audit.gain.mean)}<br><span class="quiet small">${intervalWords(audit.gain)}</span>` : html`<span class="quiet">–</span>`}</td>
<td>${guardCell(round)}</td></tr>`;
}

function unopened(why: string, reused: boolean): Markup {
  return html`<td class="end quiet" colspan="${reused ? 3 : 5}">${why}</td>`;
}

function openingCells(opening: Opening): Markup {
  const { alpha, wealth, pairs, voids, observed, reused, openings } = opening;
  const number = html`<td class="end">${opening.opening}${openings === undefined ? "" : ` of ${openings}`}</td><td class="end">${figure(alpha)}</td>`;
  if (reused)
    return html`${number}<td class="end">${whole(pairs)}<br><span class="quiet small">reused</span></td>`;
  const needed = alpha > 0 ? 1 / alpha : Number.POSITIVE_INFINITY;
  return html`${number}
<td class="end">${wealth === null ? html`<span class="quiet">sealed</span>` : figure(wealth)}<br><span class="quiet small">of ${figure(needed)}</span></td>
<td class="end">${whole(pairs)}${voids > 0 ? html`<br><span class="quiet small">${voids} void</span>` : ""}</td><td class="end">${observed === null ? html`<span class="quiet">sealed</span>` : points(observed)}</td>`;
}

function guardCell({ findings }: RoundStory): Content {
  const loud = findings.filter(({ answer }) => answer !== "ok");
  if (loud.length > 0) return loud.map((finding) => answerChip(finding));
  const [content] = findings.filter((finding) => !isUnmeasured(finding));
  const unmeasured = findings.filter(isUnmeasured);
  const [unseen] = unmeasured;
  if (content === undefined)
    return unseen === undefined ? html`<span class="quiet">–</span>` : answerChip(unseen);
  return unseen === undefined
    ? answerChip(content)
    : html`${answerChip(content)}<br><span class="quiet small">${unmeasured.length} of ${findings.length} not measured</span>`;
}
