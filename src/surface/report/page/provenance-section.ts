import { type Json, sha256 } from "../../../foundation/base/index.ts";
import type { RoundStory, RunStory } from "../story.ts";
import { plural, rollbackWord } from "../words.ts";
import { type Content, html, type Markup } from "./html.ts";
import { moment } from "./page-words.ts";
import { part } from "./part.ts";

/** What made this run, so that it can be found and done again. */
export function provenanceSection(story: RunStory, configuration: Json | undefined): Content {
  const { facts, engine, rounds } = story;
  if (story.state === "empty") return null;
  const whole =
    configuration ??
    (facts === null ? undefined : { task: facts.task, model: facts.model, method: facts.method });
  return part({
    id: "provenance",
    title: "Where it comes from",
    body: html`<div class="card"><dl class="facts">
${fact("run", html`<code>${story.run}</code>`)}
${facts === null ? "" : html`${fact("seed", String(facts.seed))}${fact("configuration", html`<code>${facts.configHash}</code>`)}${fact("protocol", html`<code>${facts.protocolHash}</code><br><span class="quiet small">task, strata, verifier, harness and gate: figures compare only under one of these</span>`)}${fact("Whetstone", facts.version)}`}
${engine === null ? "" : fact("engine", `${engine.engine} on ${engine.device}, ${plural(engine.workers, "worker")}`)}
${story.startedAt === null ? "" : fact("began", moment(story.startedAt))}
${story.lastAt === null ? "" : fact("last event", moment(story.lastAt))}
${fact("champion", html`${story.champion.round === 0 ? "the base" : `round ${story.champion.round}`}${story.champion.checkpoint === null ? "" : html`, <code>${story.champion.checkpoint}</code>`}`)}
${pausesOf(story)}</dl>
${whole === undefined ? "" : html`<details><summary>What was configured</summary><pre>${JSON.stringify(whole, null, 2)}</pre></details>`}
${seedsOf(rounds)}</div>`,
  });
}

function fact(name: string, value: Content): Markup {
  return html`<dt>${name}</dt><dd>${value}</dd>`;
}

function pausesOf({ interruptions, resumptions, rollbacks }: RunStory): Content {
  if (interruptions.length + resumptions.length + rollbacks.length === 0) return null;
  const pauses = [
    ...interruptions.map(({ at, round, reason }) => ({
      at,
      text: `interrupted in round ${round}: ${reason}`,
    })),
    ...resumptions.map(({ at, round }) => ({ at, text: `went on with round ${round}` })),
    ...rollbacks.map((rollback) => ({
      at: rollback.at,
      text: `after round ${rollback.round} ${rollbackWord(rollback)}`,
    })),
  ].sort((a, b) => a.at - b.at);
  return fact(
    "interruptions and rollbacks",
    pauses.map(({ at, text }, index) => html`${index > 0 ? html`<br>` : ""}${moment(at)}: ${text}`),
  );
}

/** Each decision's items are drawn from a seed whose hash was told before training: they were not chosen afterwards. */
function seedsOf(rounds: readonly RoundStory[]): Content {
  const told = rounds.filter(({ seedHash, seed }) => seedHash !== null && seed !== null);
  if (told.length === 0) return null;
  return html`<details><summary>Seeds of the decisions, told as a hash before training</summary><div class="scroll" tabindex="0" role="region" aria-label="Seeds"><table class="data"><thead><tr><th scope="col" class="end">round</th><th scope="col">hash, before</th><th scope="col">seed, after</th><th scope="col">SHA-256 of it</th></tr></thead>
<tbody>${told.map(seedRow)}</tbody></table></div></details>`;
}

function seedRow({ round, seedHash, seed }: RoundStory): Markup {
  const same = sha256(seed ?? "") === seedHash;
  return html`<tr><th scope="row" class="end">${round}</th><td><code title="${seedHash}">${seedHash?.slice(0, 16)}…</code></td><td><code title="${seed}">${seed?.slice(0, 16)}…</code></td><td>${same ? html`<span class="chip good"><span aria-hidden="true">✓</span>is the hash</span>` : html`<span class="chip bad"><span aria-hidden="true">✗</span>is another</span>`}</td></tr>`;
}
