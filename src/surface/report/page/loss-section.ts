import type { TrainingLoss } from "../../../foundation/contract/index.ts";
import type { RunStory } from "../story.ts";
import { figure, whole } from "../words.ts";
import { type Content, html, type Markup } from "./html.ts";
import { part } from "./part.ts";

/** The loss of every training, from its first steps to its last. */
export function lossSection({ preparation, rounds }: RunStory): Content {
  const trained = [...(preparation === null ? [] : [preparation]), ...rounds].flatMap(({ round, loss }) =>
    loss === null ? [] : [{ round, loss }],
  );
  if (trained.length === 0) return null;
  return part({
    id: "loss",
    title: "Training loss",
    lead: "Mean over stretches of optimiser steps, per trained token, of the role that answers. It is read from what is trained on, so it says how well that was learnt, not how good the model is; of a policy gradient it stays near 0.",
    body: html`<div class="card"><div class="scroll" tabindex="0" role="region" aria-label="Training loss by round"><table class="data"><thead><tr><th scope="col">round</th><th scope="col" class="end">steps</th><th scope="col" class="end">first</th><th scope="col" class="end">last</th><th scope="col">curve</th></tr></thead>
<tbody>${trained.map(({ round, loss }) => rowOf(round, loss))}</tbody></table></div></div>`,
  });
}

function rowOf(round: number, { steps, means }: TrainingLoss): Markup {
  return html`<tr><th scope="row">${round === 0 ? "preparation" : round}</th><td class="end">${whole(steps)}</td><td class="end">${word(means[0])}</td><td class="end">${word(means.at(-1))}</td><td>${curveOf(means)}</td></tr>`;
}

function word(mean: number | null | undefined): string {
  return mean == null ? "no number" : figure(mean).replace("-", "−");
}

const [width, height] = [240, 36];

/** As high as its own greatest and least: rounds are compared by the numbers beside it. */
function curveOf(means: TrainingLoss["means"]): Content {
  const known = means.flatMap((mean, point) => (mean === null ? [] : [{ mean, point }]));
  if (known.length < 2) return null;
  const values = known.map(({ mean }) => mean);
  const [low, high] = [Math.min(...values), Math.max(...values)];
  const x = (point: number): string => (2 + (point / (means.length - 1)) * (width - 4)).toFixed(1);
  const y = (mean: number): string =>
    (2 + (high === low ? 0.5 : (high - mean) / (high - low)) * (height - 4)).toFixed(1);
  const line = known.map(({ mean, point }, index) => `${index === 0 ? "M" : "L"}${x(point)} ${y(mean)}`);
  return html`<svg viewBox="0 0 ${width} ${height}" width="${width}" height="${height}" role="img" aria-label="Loss from ${word(means[0])} to ${word(means.at(-1))}"><path class="line one" d="${line.join("")}"/></svg>`;
}
