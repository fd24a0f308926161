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

/** Samples that people are shown of what changed, in each direction, and of what did not. */
const most = { changed: 8, unchanged: 4 };
/** Of tasks that have kinds: of one kind at most, of all kinds together, and of so many kinds. */
const ofOneKind = { changed: 6, unchanged: 3 };
const ofAllKinds = { changed: 12, unchanged: 6 };
const mostKinds = 12;

/**
 * Answers that tell most, what changed first: what became right, what became wrong, what is still wrong just beyond the
 * frontier, and what is right at it; 24 at most. Where difficulties only number kinds, the same of each kind, with no frontier;
 * 36 at most, and of many kinds those in which something changed.
 */
export function shownSamples(request: ShownSamplesRequest): ShownSample[] {
  return request.task?.difficulty.ordered === false ? samplesByKind(request) : samplesByDifficulty(request);
}

function samplesByDifficulty({ before, after, measurement }: ShownSamplesRequest): ShownSample[] {
  const old = byItem(before);
  const edge = measurement.frontier90 ?? Number.NEGATIVE_INFINITY;
  const hardestFirst = after.toSorted((a, b) => b.item.difficulty - a.item.difficulty);
  const { becameRight, becameWrong } = changes(old);
  const sorts: readonly Sort[] = [
    { is: becameRight, most: most.changed },
    { is: becameWrong, most: most.changed },
    {
      is: (answer) => !right(answer) && answer.item.difficulty <= edge + 2,
      most: most.unchanged,
    },
    { is: (answer) => right(answer) && answer.item.difficulty <= edge, most: most.unchanged },
  ];
  return chosen(hardestFirst, sorts).map((answer) => shown(answer, old));
}

function samplesByKind({ before, after }: ShownSamplesRequest): ShownSample[] {
  const old = byItem(before);
  const { becameRight, becameWrong, changed } = changes(old);
  const kinds = [...Map.groupBy(after, ({ item }) => item.stratum).values()]
    .toSorted((a, b) => Number(b.some(changed)) - Number(a.some(changed)))
    .slice(0, mostKinds);
  const each = (sort: "changed" | "unchanged"): number =>
    Math.max(1, Math.min(ofOneKind[sort], Math.floor(ofAllKinds[sort] / kinds.length)));
  const sorts: readonly Sort[] = [
    { is: becameRight, most: each("changed") },
    { is: becameWrong, most: each("changed") },
    { is: (answer) => !right(answer) && !changed(answer), most: each("unchanged") },
    { is: (answer) => old.size === 0 && right(answer), most: each("unchanged") },
  ];
  return kinds.flatMap((answers) =>
    chosen(answers, sorts).map(
      (answer): ShownSample => ({ ...shown(answer, old), kind: answer.item.stratum }),
    ),
  );
}

/** Answers of a sort, and how many of them are shown. */
interface Sort {
  readonly is: (answer: JudgedAnswer) => boolean;
  readonly most: number;
}

/** Against what the champion said; nothing changed where there is none yet. */
function changes(old: ReadonlyMap<string, JudgedAnswer>) {
  const was = ({ item }: JudgedAnswer): boolean => right(old.get(item.canonical));
  const becameRight = (answer: JudgedAnswer): boolean => old.size > 0 && right(answer) && !was(answer);
  const becameWrong = (answer: JudgedAnswer): boolean => !right(answer) && was(answer);
  return {
    becameRight,
    becameWrong,
    changed: (answer: JudgedAnswer): boolean => becameRight(answer) || becameWrong(answer),
  };
}

/** The first few of each sort, none twice. */
function chosen(answers: readonly JudgedAnswer[], sorts: readonly Sort[]): JudgedAnswer[] {
  const picked = new Map<string, JudgedAnswer>();
  for (const { is, most: count } of sorts) {
    const own = answers.filter((answer) => !picked.has(answer.item.canonical) && is(answer));
    for (const answer of own.slice(0, count)) picked.set(answer.item.canonical, answer);
  }
  return [...picked.values()];
}

function byItem(answers: readonly JudgedAnswer[]): ReadonlyMap<string, JudgedAnswer> {
  return new Map(answers.map((answer) => [answer.item.canonical, answer]));
}

function right(answer: JudgedAnswer | undefined): boolean {
  return answer?.verdict.outcome === "scored" && answer.verdict.score >= 1;
}

function shown(answer: JudgedAnswer, old: ReadonlyMap<string, JudgedAnswer>): ShownSample {
  const { item, response } = answer;
  const before = old.get(item.canonical);
  return {
    difficulty: item.difficulty,
    prompt: item.prompt,
    answer: item.answer ?? null,
    before: before?.response.text ?? null,
    ...(before === undefined ? {} : { beforeRight: judgement(before) }),
    after: response.text,
    right: judgement(answer),
  };
}

/** Null where it was not judged. */
function judgement({ verdict }: JudgedAnswer): boolean | null {
  return verdict.outcome === "scored" ? verdict.score >= 1 : null;
}
