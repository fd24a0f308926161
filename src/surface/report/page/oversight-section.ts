import type { Question } from "../../../loop/oversight/index.ts";
import { answerWord } from "../question-words.ts";
import type { RunStory } from "../story.ts";
import { type Content, html, type Markup } from "./html.ts";
import { moment } from "./page-words.ts";
import { part } from "./part.ts";

/** What a person was asked, and what they said; null where nobody was. */
export function oversightSection({ questions }: Pick<RunStory, "questions">): Content {
  if (questions.length === 0) return null;
  return part({
    id: "oversight",
    title: "What a person was asked",
    lead: "What depends on an answer is begun once the answer is stored; audit items of a promotion are answered after it.",
    body: html`<div class="card"><div class="scroll" tabindex="0" role="region" aria-label="Questions"><table class="data">
<thead><tr><th scope="col">question</th><th scope="col">what</th><th scope="col">answer</th><th scope="col">why</th><th scope="col">who</th><th scope="col">asked</th><th scope="col">answered</th></tr></thead>
<tbody>${questions.map(rowOf)}</tbody></table></div></div>`,
  });
}

const kinds = { approve: "good", reject: "" } as const;

function rowOf(question: Question): Markup {
  const { id, text, answer, askedAt, givenUp } = question;
  const kind = answer === null ? (givenUp ? "" : "warn") : kinds[answer.answer];
  const none = html`<span class="quiet">–</span>`;
  return html`<tr><th scope="row"><code>${id}</code></th><td class="why">${text}</td>
<td><span class="chip ${kind}">${answerWord(question)}</span></td><td class="why">${answer === null || answer.why === "" ? none : answer.why}</td>
<td>${answer === null || answer.by === "" ? none : answer.by}</td><td>${moment(askedAt)}</td><td>${answer === null ? none : moment(answer.at)}</td></tr>`;
}
