import { type GuardFinding, isUnmeasured } from "../../../foundation/contract/index.ts";
import type { RunStory } from "../story.ts";
import { remedyWords } from "../words.ts";
import { type Content, html, type Markup } from "./html.ts";
import { answerChip } from "./page-words.ts";
import { part } from "./part.ts";

interface Heard {
  readonly round: number;
  readonly finding: GuardFinding;
}

/** What each guard said in each round; words where one was not content, and its last words otherwise. */
export function guardsSection({ rounds }: RunStory): Content {
  const heard = rounds.flatMap(({ round, findings }) =>
    findings.map((finding): Heard => ({ round, finding })),
  );
  if (heard.length === 0) return null;
  const names = [...new Set(heard.map(({ finding }) => finding.guard))];
  const spoken = rounds.filter(({ findings }) => findings.length > 0).map(({ round }) => round);
  const by = (name: string): Heard[] => heard.filter(({ finding }) => finding.guard === name);
  return part({
    id: "guards",
    title: "Guards",
    lead: "They watch validation and training, and may keep a step from being made, stop the run, keep the gate shut, or ask the next round to learn otherwise.",
    body: html`<div class="card"><div class="scroll" tabindex="0" role="region" aria-label="Guards by round"><table class="data guards">
<thead><tr><th scope="col">guard</th>${spoken.map((round) => html`<th scope="col" style="text-align:center">${round}</th>`)}<th scope="col">evidence</th></tr></thead>
<tbody>${names.map((name) => rowOf(name, by(name), spoken))}</tbody></table></div></div>${unmeasuredOf(heard)}${remediesOf(rounds)}`,
  });
}

/** What the sign of those that could not measure means. */
function unmeasuredOf(heard: readonly Heard[]): Content {
  return heard.some(({ finding }) => isUnmeasured(finding))
    ? html`<p class="small quiet">– is not measured: there the guard neither found fault nor could have.</p>`
    : null;
}

/** Which rounds did otherwise because guards had asked for it. */
function remediesOf(rounds: RunStory["rounds"]): Content {
  const told = rounds.flatMap(({ round, remedies }) =>
    remedies === null ? [] : [`round ${round} ${remedyWords(remedies)}`],
  );
  return told.length === 0
    ? null
    : html`<p class="small">Because a guard had asked for it, ${told.join("; ")}.</p>`;
}

function rowOf(name: string, heard: readonly Heard[], rounds: readonly number[]): Markup {
  const loud = heard.filter(({ finding }) => finding.answer !== "ok");
  const told = loud.length > 0 ? loud : heard.slice(-1);
  return html`<tr><th scope="row">${name}</th>${rounds.map((round) => {
    const finding = heard.find((one) => one.round === round)?.finding;
    return html`<td class="cell">${finding === undefined ? "" : answerChip(finding, true)}</td>`;
  })}<td class="why small">${told.map(({ round, finding }, index) => html`${index > 0 ? html`<br>` : ""}<span class="quiet">round ${round}:</span> ${finding.evidence}`)}</td></tr>`;
}
