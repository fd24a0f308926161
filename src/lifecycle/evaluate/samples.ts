import type {
  DifficultyScale,
  JudgedAnswer,
  Measurement,
  ShownSample,
} from "../../foundation/contract/index.ts";

export interface ShownSamplesRequest {
  readonly task?: { readonly difficulty: Pick<DifficultyScale, "ordered"> };
  /** The champion's answers to the same items; empty when there is none yet. */
  readonly before: readonly JudgedAnswer[];
  readonly after: readonly JudgedAnswer[];
  readonly measurement: Measurement;
}

/** Samples of each sort that people are shown. */
const perSort = 2;
/** Of tasks that have kinds: so many of each sort and kind, and of so many kinds. */
const perKind = 1;
const mostKinds = 12;

/**
 * A few answers that tell most: what became right, what became wrong, what is still wrong just beyond the frontier, and
 * what is right at it. Where difficulties only number kinds, the same of each kind, with no frontier.
 */
export function shownSamples(request: ShownSamplesRequest): ShownSample[] {
  return request.task?.difficulty.ordered === false ? samplesByKind(request) : samplesByDifficulty(request);
}

function samplesByDifficulty({ before, after, measurement }: ShownSamplesRequest): ShownSample[] {
  const old = byItem(before);
  const edge = measurement.frontier90 ?? Number.NEGATIVE_INFINITY;
  const hardestFirst = after.toSorted((a, b) => b.item.difficulty - a.item.difficulty);
  const sorts: readonly ((answer: JudgedAnswer) => boolean)[] = [
    (answer) => right(answer) && old.size > 0 && !right(old.get(answer.item.canonical)),
    (answer) => !right(answer) && right(old.get(answer.item.canonical)),
    (answer) => !right(answer) && answer.item.difficulty <= edge + 2,
    (answer) => right(answer) && answer.item.difficulty <= edge,
  ];
  return chosen(hardestFirst, sorts, perSort).map((answer) => shown(answer, old));
}

function samplesByKind({ before, after }: ShownSamplesRequest): ShownSample[] {
  const old = byItem(before);
  const was = ({ item }: JudgedAnswer): boolean => right(old.get(item.canonical));
  const sorts: readonly ((answer: JudgedAnswer) => boolean)[] = [
    (answer) => old.size > 0 && right(answer) && !was(answer),
    (answer) => !right(answer) && was(answer),
    (answer) => !right(answer) && !was(answer),
    (answer) => old.size === 0 && right(answer),
  ];
  const kinds = [...Map.groupBy(after, ({ item }) => item.stratum).values()];
  const each = kinds.length <= mostKinds / 3 ? perSort : perKind;
  return kinds.slice(0, mostKinds).flatMap((answers) =>
    chosen(answers, sorts, each).map((answer): ShownSample => {
      const { verdict } = old.get(answer.item.canonical) ?? {};
      return {
        ...shown(answer, old),
        kind: answer.item.stratum,
        ...(verdict ? { beforeRight: verdict.outcome === "scored" ? verdict.score >= 1 : null } : {}),
      };
    }),
  );
}

/** The first few of each sort, none twice. */
function chosen(
  answers: readonly JudgedAnswer[],
  sorts: readonly ((answer: JudgedAnswer) => boolean)[],
  each: number,
): JudgedAnswer[] {
  const picked = new Map<string, JudgedAnswer>();
  for (const sort of sorts) {
    const own = answers.filter((answer) => !picked.has(answer.item.canonical) && sort(answer));
    for (const answer of own.slice(0, each)) picked.set(answer.item.canonical, answer);
  }
  return [...picked.values()];
}

function byItem(answers: readonly JudgedAnswer[]): ReadonlyMap<string, JudgedAnswer> {
  return new Map(answers.map((answer) => [answer.item.canonical, answer]));
}

function right(answer: JudgedAnswer | undefined): boolean {
  return answer?.verdict.outcome === "scored" && answer.verdict.score >= 1;
}

function shown(
  { item, response, verdict }: JudgedAnswer,
  old: ReadonlyMap<string, JudgedAnswer>,
): ShownSample {
  return {
    difficulty: item.difficulty,
    prompt: item.prompt,
    answer: item.answer ?? null,
    before: old.get(item.canonical)?.response.text ?? null,
    after: response.text,
    right: verdict.outcome === "scored" ? verdict.score >= 1 : null,
  };
}
