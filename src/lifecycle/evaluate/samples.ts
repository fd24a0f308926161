import type { JudgedAnswer, Measurement, ShownSample } from "../../foundation/contract/index.ts";

export interface ShownSamplesRequest {
  /** The champion's answers to the same items; empty when there is none yet. */
  readonly before: readonly JudgedAnswer[];
  readonly after: readonly JudgedAnswer[];
  readonly measurement: Measurement;
}

/** Samples of each kind that people are shown. */
const perKind = 2;

/**
 * A few answers that tell most: what became right, what became wrong, what is still wrong just beyond the frontier, and
 * what is right at it.
 */
export function shownSamples({ before, after, measurement }: ShownSamplesRequest): ShownSample[] {
  const old = new Map(before.map((answer) => [answer.item.canonical, answer]));
  const edge = measurement.frontier90 ?? Number.NEGATIVE_INFINITY;
  const right = (answer: JudgedAnswer | undefined): boolean =>
    answer?.verdict.outcome === "scored" && answer.verdict.score >= 1;
  const hardestFirst = after.toSorted((a, b) => b.item.difficulty - a.item.difficulty);
  const kinds: readonly ((answer: JudgedAnswer) => boolean)[] = [
    (answer) => right(answer) && old.size > 0 && !right(old.get(answer.item.canonical)),
    (answer) => !right(answer) && right(old.get(answer.item.canonical)),
    (answer) => !right(answer) && answer.item.difficulty <= edge + 2,
    (answer) => right(answer) && answer.item.difficulty <= edge,
  ];
  const shown = new Map<string, JudgedAnswer>();
  for (const kind of kinds) {
    const chosen = hardestFirst.filter((answer) => !shown.has(answer.item.canonical) && kind(answer));
    for (const answer of chosen.slice(0, perKind)) shown.set(answer.item.canonical, answer);
  }
  return [...shown.values()].map(({ item, response, verdict }) => ({
    difficulty: item.difficulty,
    prompt: item.prompt,
    answer: item.answer ?? null,
    before: old.get(item.canonical)?.response.text ?? null,
    after: response.text,
    right: verdict.outcome === "scored" ? verdict.score >= 1 : null,
  }));
}
