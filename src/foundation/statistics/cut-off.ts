import { percent } from "./words.ts";

/** What a measurement says of each stratum. */
interface Answered {
  readonly strata: readonly { readonly items: number; readonly cutOff?: number | undefined }[];
}

/** A smaller share of answers that were cut off is not worth a word. */
export const worthAWord = 0.05;

/** Share of a measurement's answers that the limit of tokens cut off; 0 where that was not counted. */
export function cutOffShare({ strata }: Answered): number {
  const items = strata.reduce((sum, stratum) => sum + stratum.items, 0);
  return items === 0 ? 0 : strata.reduce((sum, { cutOff = 0 }) => sum + cutOff, 0) / items;
}

/**
 * What a reader of a gain must know where answers were cut off: a base that speaks in sentences is wrong by its length alone,
 * and part of the gain is that it learnt to end. Undefined where hardly any were.
 */
export function cutOffWords(before: Answered, after: Answered): string | undefined {
  const [base, champion] = [cutOffShare(before), cutOffShare(after)];
  if (Math.max(base, champion) < worthAWord) return undefined;
  return `${percent(base, 0)} of the base's answers and ${percent(champion, 0)} of the champion's were cut off by the limit of tokens, and count as wrong where the verifier wants whole ones: some of the difference may be length alone`;
}
