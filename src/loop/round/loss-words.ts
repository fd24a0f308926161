import type { TrainingLoss } from "../../foundation/contract/index.ts";

/** `, loss 2.31 → 0.412`: how a training began and ended, behind a summary; empty where nothing was trained. */
export function lossWords(loss: TrainingLoss | undefined): string {
  if (loss === undefined) return "";
  const word = (mean: number | null | undefined): string =>
    mean == null ? "no number" : mean.toPrecision(3);
  const [first, last] = [word(loss.means[0]), word(loss.means.at(-1))];
  return loss.means.length === 1 ? `, loss ${first}` : `, loss ${first} → ${last}`;
}
