import type { MethodPage } from "whetstone";
import type { BenchTable } from "../record.ts";
import { type ExactRow, exactTolerance } from "./exact.ts";
import { givenTo, learnedBy, restsOnAnswers } from "./given.ts";
import type { MethodRow } from "./mechanism.ts";
import { type Beside, type Difference, difference, mean, ofColumn, pooled, type SeededRow } from "./rows.ts";
import { unfiltered } from "./unfiltered.ts";

/** A table, under which name it is kept, and what does not hold of it. */
export interface Judged {
  readonly name: string;
  readonly table: BenchTable;
  readonly failed: readonly string[];
}

const share = (value: number | null): string => (value === null ? "–" : value.toFixed(3));
const interval = ({ low, high }: Pick<Difference, "low" | "high">): string =>
  `${low.toFixed(3)} to ${high.toFixed(3)}`;
const verdictOf = (failed: readonly string[], holds: string): string =>
  failed.length === 0 ? `Holds: ${holds}.` : `Does not hold: ${failed.join(", ")}.`;
const byMethod = <R extends { readonly method: string }>(rows: readonly R[]): R[][] => [
  ...Map.groupBy(rows, ({ method }) => method).values(),
];

/** All that there are rows for. */
export function judgedTables(rows: readonly SeededRow[], pages: readonly MethodPage[]): Judged[] {
  const pageOf = (method: string): MethodPage | undefined => pages.find(({ name }) => name === method);
  return [
    exactTable(ofColumn(rows, "exact")),
    gainTable("mechanism", ofColumn(rows, "mechanism"), pageOf),
    ceilingTable("knowing", rows, pageOf),
    ceilingTable("misled", rows, pageOf),
    filterTable(rows),
    gainTable("real", ofColumn(rows, "real"), pageOf),
  ].filter(({ table }) => table.rows.length > 0);
}

const differenceOf = ({ low, high }: ExactRow): number => Math.max(Math.abs(low), Math.abs(high));

function exactTable(rows: readonly ExactRow[]): Judged {
  const failed = rows.filter((row) => !(differenceOf(row) <= exactTolerance)).map(({ method }) => method);
  return {
    name: "exact",
    failed,
    table: {
      title: "Methods: the first step of each update against its closed form",
      columns: ["method", "closed form", "on the exact engine", "largest difference"],
      rows: rows.map((row) => [
        row.method,
        row.before.toFixed(5),
        row.after.toFixed(5),
        differenceOf(row).toExponential(1),
      ]),
      verdict: verdictOf(
        failed,
        `no update differs from its closed form by more than ${exactTolerance} of its greatest gradient`,
      ),
    },
  };
}

type PageOf = (method: string) => MethodPage | undefined;

/** Of the small transformer all gain; of the pretrained one, those that get a verdict from outside, and no other loses. */
function gainTable(
  which: "mechanism" | "real",
  rows: readonly (MethodRow & { readonly seed: number })[],
  pageOf: PageOf,
): Judged {
  const all = byMethod(rows).map(pooled);
  const mustGain = (method: string): boolean =>
    which === "mechanism" || pageOf(method)?.reward === "external";
  const failed = all
    .filter(({ method, low, high }) => (mustGain(method) ? !(low > 0) : !(high > 0)))
    .map(({ method }) => method);
  const count = new Set(rows.map(({ seed }) => seed)).size;
  const over = `over ${count} ${count === 1 ? "seed" : "seeds"}`;
  return {
    name: which,
    failed,
    table: {
      title:
        which === "mechanism"
          ? "Methods: what each makes of a small transformer that plays all roles"
          : "Methods: what some make of SmolLM2-135M on arithmetic in words",
      columns: [
        "method",
        "before",
        "after",
        "gain, 95 %",
        "distinct of 16",
        "gap",
        "labels right",
        "tokens",
        "learned: weights; what else they play",
        "given, beside the items",
      ],
      rows: all.map((row) => {
        const page = pageOf(row.method);
        return [
          row.method,
          share(row.before),
          share(row.after),
          interval(row),
          row.diversity?.toFixed(1) ?? "–",
          share(row.gap),
          share(row.label_accuracy),
          Math.round(row.tokens).toLocaleString("en-US"),
          page === undefined ? "–" : learnedBy(page),
          page === undefined ? "–" : givenTo(page),
        ];
      }),
      verdict: verdictOf(
        failed,
        which === "mechanism"
          ? `${over} every method gains`
          : `${over} every method with an external reward gains, and none without one loses`,
      ),
    },
  };
}

/** The accuracies of a method after its rounds beside those of the base's better way to answer, seed by seed. */
function besideCeiling(
  rows: readonly (MethodRow & { readonly seed: number })[],
  ceilings: readonly { readonly seed: number; readonly accuracy: number }[],
): (Beside & { readonly before: number })[] {
  return rows.flatMap(({ seed, before, after }) => {
    const known = ceilings.filter((one) => one.seed === seed).map(({ accuracy }) => accuracy);
    return known.length === 0 ? [] : [{ before, of: after, less: Math.max(...known) }];
  });
}

/**
 * What is rewarded by the solver's own answers alone approaches what the base knows as a solver, its majority or its likeliest answer, and
 * no more. Where another role decides, its knowledge is the ceiling and not the solver's: shown, and not judged. On a base that is right in
 * either way nothing can end above; on one that was taught wrong answers to some items what ends above has them right from elsewhere, and a
 * method with the verifier's verdict must.
 */
function ceilingTable(base: "knowing" | "misled", rows: readonly SeededRow[], pageOf: PageOf): Judged {
  const measured = ofColumn(rows, base === "misled" ? "misled" : "mechanism");
  const ceilings = ofColumn(rows, base === "misled" ? "misled-ceiling" : "ceiling");
  const all = byMethod(measured).flatMap((of) => {
    const seeds = besideCeiling(of, ceilings);
    const page = pageOf(of[0]?.method ?? "");
    if (seeds.length === 0 || page === undefined) return [];
    if (base === "knowing" && page.reward !== "self-derived") return [];
    const before = mean(seeds.map((one) => one.before)) ?? 0;
    const above = difference(seeds);
    const ceiling = mean(seeds.map(({ less }) => less)) ?? 0;
    const after = ceiling + above.mean;
    const way = ceiling > before ? (after - before) / (ceiling - before) : null;
    return [{ page, before, ceiling, after, above, way }];
  });
  const failed = all
    .filter(({ page, above }) =>
      restsOnAnswers(page) ? above.low > 0 : page.reward === "external" && !(above.low > 0),
    )
    .map(({ page }) => page.name);
  return {
    name: base === "misled" ? "misled" : "ceiling",
    failed,
    table: {
      title:
        base === "misled"
          ? "Methods: what the base was taught wrong, a reward by its own answers does not mend"
          : "Methods: what is rewarded by the model's own answers, beside what the base knows",
      columns: [
        "method",
        "who says what is good",
        "before",
        "base at best",
        "after",
        "above it, 95 %",
        "of the way",
      ],
      rows: all.map(({ page, before, ceiling, after, above, way }) => [
        page.name,
        restsOnAnswers(page) ? "its answers" : page.reward === "external" ? "the verifier" : "another role",
        share(before),
        share(ceiling),
        share(after),
        interval(above),
        share(way),
      ]),
      verdict: verdictOf(
        failed,
        base === "misled"
          ? "no method that is rewarded by its own answers ends above the base's majority of 64 or its likeliest answer beyond noise, and the verifier's verdict leads above both"
          : "none that is rewarded by its own answers ends above the base's majority of 64 or its likeliest answer beyond noise",
      ),
    },
  };
}

/**
 * Each curriculum as its method filters it beside the same without: the filter must not cost more than noise, which one seed cannot say,
 * since another training would end elsewhere.
 */
function filterTable(rows: readonly SeededRow[]): Judged {
  const filtered = ofColumn(rows, "mechanism");
  const all = byMethod(ofColumn(rows, "unfiltered")).flatMap((without) => {
    const pairs = without.flatMap((one) => {
      const own = filtered.find(({ method, seed }) => method === one.method && seed === one.seed);
      return own === undefined ? [] : [{ own, one }];
    });
    if (pairs.length === 0) return [];
    const more = difference(pairs.map(({ own, one }) => ({ of: own.after, less: one.after })));
    return [
      {
        own: pooled(pairs.map(({ own }) => own)),
        one: pooled(pairs.map(({ one }) => one)),
        more,
        count: pairs.length,
      },
    ];
  });
  const judged = all.filter(({ count }) => count > 1);
  const failed = judged.filter(({ more }) => more.high < 0).map(({ own }) => own.method);
  return {
    name: "filters",
    failed,
    table: {
      title: "Methods: a curriculum that the model writes, filtered and not",
      columns: [
        "method",
        "left out",
        "before",
        "filtered",
        "unfiltered",
        "filtered less unfiltered, 95 %",
        "labels right, filtered",
        "unfiltered",
      ],
      rows: all.map(({ own, one, more }) => [
        own.method,
        unfiltered[own.method]?.without ?? "–",
        share(own.before),
        share(own.after),
        share(one.after),
        interval(more),
        share(own.label_accuracy),
        share(one.label_accuracy),
      ]),
      verdict:
        judged.length === 0
          ? "Not judged: one seed does not say what training scatters."
          : verdictOf(failed, "no filter costs more than noise"),
    },
  };
}
