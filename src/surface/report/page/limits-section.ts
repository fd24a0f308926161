import { isUnmeasured } from "../../../foundation/contract/index.ts";
import { type HeatColumn, heatMapOf } from "../heat-map.ts";
import type { RunStory } from "../story.ts";
import { capital, figure, listRounds, percent, unbroken } from "../words.ts";
import { type Content, html, prose } from "./html.ts";
import { part } from "./part.ts";

/** What a reader might take for proven, and is not. */
export function limitsSection(story: RunStory): Content {
  if (story.state === "empty") return null;
  return part({
    id: "limits",
    title: "What is not proven",
    body: html`<ul class="limits">${limitsOf(story).map((limit) => html`<li>${prose(unbroken(limit))}</li>`)}</ul>`,
  });
}

export function limitsOf(story: RunStory): string[] {
  return [
    ...unfinished(story),
    ...ofTheClaim(story),
    ...ofTheItems(story),
    ...ofTheGate(story),
    ...ofTheGuards(story),
    ...ofTheBaselines(story),
  ];
}

/** What a part of the gain is due to; the page has a section on those that were measured. */
function ofTheBaselines({ baselines: { plan, leftOut, measured } }: RunStory): string[] {
  const what = "(the base with many answers, training on outside data only, rewards permuted among answers)";
  const unknown = "what part of a gain is due to the method is not shown";
  const [first] = measured;
  if (first === undefined) {
    const why = plan?.mode === "off" ? plan.reason : leftOut;
    return [`No baseline stands beside it ${what}${why === null ? "" : `: ${why}`}. So ${unknown}.`];
  }
  const short = measured.every(({ mode }) => mode === "short");
  return [
    "Baselines are compared on validation items, by which the run steered itself: that favours the run’s own weights.",
    ...(short
      ? [
          `Baselines were compared at ${percent(first.at.share, 0)} of the run’s compute; how they would do with all of it is not shown.`,
        ]
      : []),
  ];
}

function unfinished({ state, facts }: RunStory): string[] {
  if (state === "running")
    return ["The run is not finished; what stands here is what it has come to so far."];
  if (state === "interrupted")
    return ["The run was interrupted and can go on; what stands here is what it has come to so far."];
  if (state === "stopped-by-guard") return ["A guard stopped the run before its rounds were spent."];
  if (state === "budget-spent") return ["The budget was spent before the run’s rounds were."];
  return facts === null ? ["The beginning of the run is missing from its events."] : [];
}

function ofTheClaim({ audit, facts }: RunStory): string[] {
  if (audit === null)
    return [
      "No gain over the base: without an audit of the champion there is no claim, however the pictures look.",
    ];
  return [
    `The interval says what other items would give, not what another seed would: this is one run with seed ${facts?.seed ?? "unknown"}.`,
  ];
}

function ofTheItems(story: RunStory): string[] {
  const { columns, unit, rows, ordered } = heatMapOf(story);
  const list = (chosen: readonly HeatColumn[]): string =>
    ordered
      ? `${capital(unit)} ${listRounds(chosen.map(({ difficulty }) => difficulty)).replaceAll("-", "–")}`
      : `${capital(unit)} ${chosen.map(({ name }) => `“${name}”`).join(", ")}`;
  const enumerated = columns.filter((column) => column.enumerated);
  const measured = columns.filter(({ zone }) => zone === "measured");
  return [
    ...(rows.length > 0
      ? [
          `The picture of accuracy, the meters${ordered ? " and each round’s frontier" : ""} are read from validation items, by which the run may steer; only audit figures are a claim.`,
        ]
      : []),
    ...(enumerated.length > 0
      ? [
          `${list(enumerated)}: every item is answered and none is unseen, so nothing is claimed about generalising there, and the gate does not look at them.`,
        ]
      : []),
    ...(measured.length > 0 && story.facts !== null
      ? [`${list(measured)}: only measured, to see how far what was learnt reaches.`]
      : []),
  ];
}

function ofTheGate({ rounds, facts, opened }: RunStory): string[] {
  const limits: string[] = [];
  const openings = rounds.flatMap(({ decision }) => decision?.opening ?? []);
  const [first] = openings;
  if (facts?.observe === true)
    limits.push(
      "Decisions were recorded, not acted on: training went on from every candidate, the worse ones too.",
    );
  else if (first !== undefined) {
    // α_r = α·6/(π²r²), on reused items divided by 2^(r−1), solved for α.
    const histories = first.reused ? 2 ** (first.opening - 1) : 1;
    const alpha = (first.alpha * histories * Math.PI ** 2 * first.opening ** 2) / 6;
    limits.push(
      `Any one promotion may be false; the chance of a false one over all openings on these decision items is at most ${percent(alpha, 0)}, unless another run here had a larger α: then certificates state what was spent.`,
    );
  }
  if (openings.some(({ reused }) => reused))
    limits.push(
      "The decision items are reused. That bound holds as long as nothing but promoted or not was learnt of them: whoever acts on more than that voids it.",
    );
  for (const { round, opening, reason } of opened)
    limits.push(
      `A person looked at the sealed results of opening ${opening} (round ${round}: ${reason}): what later openings on these items promote is not bounded any more.`,
    );
  limits.push(...ofTheProbes(rounds));
  const voids = openings.reduce((sum, opening) => sum + opening.voids, 0);
  if (voids > 0)
    limits.push(
      `${figure(voids)} pairs had no score after retries; each was counted as the worst for the candidate.`,
    );
  const unopened = rounds
    .filter(({ decision }) => decision !== null && decision.opening === null)
    .map(({ round }) => round);
  if (unopened.length > 0)
    limits.push(
      `In ${unopened.length === 1 ? "round" : "rounds"} ${listRounds(unopened).replaceAll("-", "–")} the gate was not opened.`,
    );
  return limits;
}

/** What the parts that must not drop do not show. */
function ofTheProbes(rounds: RunStory["rounds"]): string[] {
  const promoted = rounds.filter((round) => round.promoted).flatMap(({ decision }) => decision?.probes ?? []);
  const sampled = new Map(promoted.filter(({ exact }) => !exact).map((probe) => [probe.stratum, probe]));
  return [...sampled.values()].map(
    ({ stratum, margin, level, reused }) =>
      `That “${stratum}” did not drop is shown for ${figure(100 * margin)} points: a real loss of that passes with a chance of at most ${percent(level ?? 1, 1)} at an opening${reused ? ", and its items are reused" : ""}.`,
  );
}

function ofTheGuards({ rounds }: RunStory): string[] {
  const blind = new Map<string, { rounds: number[]; evidence: string }>();
  for (const { round, findings } of rounds) {
    for (const finding of findings) {
      if (!isUnmeasured(finding)) continue;
      const { guard, evidence } = finding;
      const known = blind.get(guard) ?? { rounds: [], evidence };
      known.rounds.push(round);
      blind.set(guard, known);
    }
  }
  return [...blind].map(
    ([guard, { rounds: unseen, evidence }]) =>
      `The guard “${guard}” could not measure in ${unseen.length === 1 ? "round" : "rounds"} ${listRounds(unseen).replaceAll("-", "–")}: ${evidence}.`,
  );
}
