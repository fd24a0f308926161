import type { RoundStory, RunStory } from "../story.ts";
import { percent, whole } from "../words.ts";
import { type Content, html, type Markup } from "./html.ts";
import { type ChartSeries, lineChart } from "./line-chart.ts";
import { axisFormat, unitFormat } from "./page-words.ts";
import { part } from "./part.ts";

/** How right the labels were that the model wrote for itself, and those of them that it learnt from. */
export function labelsSection({ rounds }: RunStory): Content {
  const trained = rounds.filter(({ training }) => training !== null);
  const known = trained.some(
    ({ training }) => training?.rawLabelAccuracy !== null || training?.keptLabelAccuracy !== null,
  );
  if (!known) return null;
  const chart = lineChart({
    title: "Share of right labels",
    isShare: true,
    format: unitFormat("share"),
    axis: axisFormat("share"),
    width: 460,
    height: 240,
    series: [
      series("all", "one", trained, "rawLabelAccuracy"),
      series("kept", "two", trained, "keptLabelAccuracy"),
    ],
  });
  return part({
    id: "labels",
    title: "Labels: what the model wrote, and what it learnt from",
    lead: "The task’s verifier looked at the labels for this report and for the guards only; the run’s own reward chose which to keep. Where the two lines part, the reward found wrong labels. What several rollouts agree on is kept once.",
    body: html`<div class="split-two"><figure class="card chart"><figcaption><h3>Share of right labels</h3></figcaption>${chart}</figure>
<div class="card"><div class="scroll" tabindex="0" role="region" aria-label="Labels by round"><table class="data"><thead><tr><th scope="col" class="end">round</th><th scope="col" class="end">written</th><th scope="col" class="end">kept</th><th scope="col" class="end">right of all</th><th scope="col" class="end">right of kept</th><th scope="col" class="end">real data</th></tr></thead>
<tbody>${trained.map(rowOf)}</tbody></table></div></div></div>`,
  });
}

function series(
  name: string,
  kind: ChartSeries["kind"],
  rounds: readonly RoundStory[],
  key: "rawLabelAccuracy" | "keptLabelAccuracy",
): ChartSeries {
  return {
    name,
    kind,
    points: rounds.map(({ round, training, promoted }) => ({
      round,
      value: training?.[key] ?? null,
      full: promoted,
    })),
  };
}

function rowOf({ round, training }: RoundStory): Markup {
  const share = (value: number | null | undefined): string => (value == null ? "–" : percent(value));
  const count = (value: number | null | undefined): string => (value == null ? "–" : whole(value));
  return html`<tr><th scope="row" class="end">${round}</th><td class="end">${count(training?.rollouts)}</td><td class="end">${count(training?.kept)}</td><td class="end">${share(training?.rawLabelAccuracy)}</td><td class="end">${share(training?.keptLabelAccuracy)}</td><td class="end">${share(training?.realShare)}</td></tr>`;
}
