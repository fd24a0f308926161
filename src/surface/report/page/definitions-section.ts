import { z } from "zod";
import type { Json } from "../../../foundation/base/index.ts";
import { isOrdered } from "../kinds.ts";
import type { RunStory } from "../story.ts";
import { type Content, html } from "./html.ts";
import { part } from "./part.ts";

/** What a meter or a guard is, in its own words. */
export interface Definition {
  readonly name: string;
  readonly definition: string;
}

const words: readonly Definition[] = [
  {
    name: "base, champion, candidate",
    definition:
      "The model after preparation; the last one promoted; the one that a round made and the gate tests.",
  },
  {
    name: "validation, decision, audit items",
    definition:
      "A keyed hash of each item puts it into one split for ever. Validation items steer and are shown live; decision items are for the gate alone; audit items are answered after decisions and go to this report only.",
  },
  {
    name: "frontier",
    definition: "The greatest difficulty such that all up to it are solved in at least 90 % of items.",
  },
  {
    name: "gain",
    definition:
      "Mean paired difference of two models on the same items, averaged over the target distribution, in percentage points, with a 95 % interval.",
  },
  {
    name: "opening, α of it",
    definition:
      "One use of the gate. The r-th opening spends α·6/(π²r²), so that the chance of one false promotion over any number of openings stays below α, as long as α stays what it is.",
  },
  {
    name: "evidence",
    definition:
      "The wealth of a bet against “no gain” that starts at 1 and is fair where there is none (arXiv 2010.09686). A gain is shown when it reaches 1/α of the opening.",
  },
  {
    name: "void",
    definition:
      "No score because of a fault of the infrastructure. It never trains; at the gate it counts as the worst for the candidate.",
  },
];

/** Where evidence stays in the gate. */
const reusedItems: Definition = {
  name: "reused decision items",
  definition:
    "So few that every opening uses all of them again. Then nothing but the outcome leaves the gate, an opening r spends α·6/(π²r²)/2^(r−1), over all that earlier outcomes may have taught, and there are few openings: a round whose validation gain does not promise enough closes unopened.",
};

const guardsSchema = z.object({ guard: z.array(z.object({ name: z.string(), definition: z.string() })) });

/** What a run's configuration says of its guards, which need not be those of this version. */
export function guardsIn(configuration: Json | undefined): readonly Definition[] {
  return guardsSchema.safeParse(configuration).data?.guard ?? [];
}

/** The words of this page; meters and guards that this run has, as they define themselves. */
export function definitionsSection({ rounds, facts }: RunStory, definitions: readonly Definition[]): Content {
  const used = new Set(
    rounds.flatMap(({ readings, findings }) => [
      ...readings.map(({ meter }) => meter),
      ...findings.map(({ guard }) => guard),
    ]),
  );
  const own = definitions.filter(({ name }) => used.has(name) && !words.some((word) => word.name === name));
  const reused = rounds.some(({ decision }) => decision?.opening?.reused);
  const common = words.filter(
    ({ name }) => !(name === "frontier" && !isOrdered(facts)) && !(name === "evidence" && reused),
  );
  return part({
    id: "words",
    title: "Words",
    body: html`<dl class="terms">${[...common, ...(reused ? [reusedItems] : []), ...own].map(({ name, definition }) => html`<div><dt>${name}</dt><dd>${definition}</dd></div>`)}</dl>`,
  });
}
