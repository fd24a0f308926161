import { meanInterval } from "./mean-interval.ts";
import { meanOf, type StratifiedMean, sampleMean } from "./stratified.ts";

/** What came of the attempts at one item, as the contract's schema has it. */
interface AttemptedItem {
  readonly judged: number;
  readonly right: number;
  readonly first: number;
  readonly second: number;
  readonly distinct: number;
  readonly distinctRight: number;
  readonly entropy: number;
  readonly modalShare: number;
  readonly modalRight: boolean | null;
  readonly tokens: number;
  readonly drift: number;
}

/** Attempts of one policy; of two policies at the same items, in the same order. */
interface Attempts {
  readonly items: readonly AttemptedItem[];
}

/** A number of one item's attempts; null where it cannot be known. */
export interface ItemMeasure {
  readonly of: (item: AttemptedItem) => number | null;
  /** Between which it lies; null where no bounds are known. */
  readonly range: readonly [low: number, high: number] | null;
}

const share: ItemMeasure["range"] = [0, 1];
const ofJudged =
  (of: (item: AttemptedItem) => number): ItemMeasure["of"] =>
  (item) =>
    item.judged === 0 ? null : of(item);

/** Attempts of five that solve an item. */
const enough = 4;
/** Share of the attempts that gives the same answer where a policy is set on it. */
const set = 0.75;

/** What is read off attempts, an item at a time. */
export const measures = {
  /** The chance that one attempt is right. */
  passAtOne: { of: ofJudged(({ right, judged }) => right / judged), range: share },
  /** Whether any of the attempts is right: pass@k with k all of them (arXiv 2107.03374, equation 1, at n = k). */
  passAtAll: { of: ofJudged(({ right }) => (right > 0 ? 1 : 0)), range: share },
  /** Entropy of the answers as they were drawn, in nats: at most log of the attempts. */
  entropy: { of: ({ entropy }: AttemptedItem) => entropy, range: null },
  distinct: { of: ({ distinct }: AttemptedItem) => distinct, range: null },
  /** Different right answers: what is covered of the ways to solve an item. */
  coverage: { of: ofJudged(({ distinctRight }) => distinctRight), range: null },
  tokens: { of: ({ tokens }: AttemptedItem) => tokens, range: null },
  /** In nats a token. */
  drift: { of: ({ drift, tokens }: AttemptedItem) => (tokens === 0 ? 0 : drift / tokens), range: null },
  /** 1 where three quarters of the attempts give one and the same wrong answer. */
  lockedWrong: {
    of: ({ modalShare, modalRight }: AttemptedItem) =>
      modalRight === null ? null : modalShare >= set && !modalRight ? 1 : 0,
    range: share,
  },
  /** The same, less 1 where that answer is right. */
  lockedNet: {
    of: ({ modalShare, modalRight }: AttemptedItem) =>
      modalRight === null ? null : modalShare < set ? 0 : modalRight ? -1 : 1,
    range: [-1, 1],
  },
} as const satisfies Record<string, ItemMeasure>;

/** Mean over the items with its 95 % interval; null where it is known of none. */
export function averaged({ items }: Attempts, { of, range }: ItemMeasure): StratifiedMean | null {
  const values = items.flatMap((item) => of(item) ?? []);
  if (values.length === 0) return null;
  return range === null ? unboundedMean(values) : sampleMean(values, range);
}

/** A mean whose values may lie anywhere; one value says nothing of its error. */
function unboundedMean(values: readonly number[]): StratifiedMean {
  const nothing = { low: Number.NEGATIVE_INFINITY, high: Number.POSITIVE_INFINITY };
  return { mean: meanOf(values), interval: values.length < 2 ? nothing : meanInterval(values) };
}

/** Mean paired difference, after minus before, over items that both attempted, with its 95 % interval; null where there is none. */
export function contrast(
  before: Attempts,
  after: Attempts,
  { of, range }: ItemMeasure,
): StratifiedMean | null {
  const values = after.items.flatMap((item, index) => {
    const other = before.items[index];
    const [own, was] = [of(item), other === undefined ? null : of(other)];
    return own === null || was === null ? [] : [own - was];
  });
  if (values.length === 0) return null;
  if (range === null) return unboundedMean(values);
  const width = range[1] - range[0];
  return sampleMean(values, [-width, width]);
}

/** Of the items that a policy solved (at least 4 of 5 attempts), those that another solves too, or itself once more. */
export interface Kept {
  readonly solved: number;
  readonly still: number;
}

/** Whether `after` still solves what `before` solved; of one and the same attempts it is their test and retest. */
export function keptSolved(before: Attempts, after: Attempts): Kept {
  const solved = before.items.flatMap(({ first }, index) => (first >= enough ? [index] : []));
  return {
    solved: solved.length,
    still: solved.filter((index) => (after.items[index]?.second ?? 0) >= enough).length,
  };
}
