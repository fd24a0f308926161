import { median } from "./row.ts";

/** A side of a comparison: does its work once, and says how many tokens a second. */
export type Turn = () => Promise<number>;

/** The median of `ours` over `theirs`, each pair one after the other on the same cores; `tell` hears of each. */
export async function pairedRatio(
  ours: Turn,
  theirs: Turn,
  rounds: number,
  tell: (words: string) => void = () => {},
): Promise<number> {
  const ratios: number[] = [];
  for (let round = 0; round < rounds; round++) {
    const other = await theirs();
    const own = await ours();
    ratios.push(own / other);
    tell(
      `pair ${round + 1} of ${rounds}: ${(own / other).toFixed(2)} (${own.toFixed(0)} to ${other.toFixed(0)})`,
    );
  }
  return median(ratios);
}

/** The setting in which most tokens a second are done. */
export async function fastest<S>(
  settings: readonly S[],
  measure: (setting: S) => Promise<number>,
): Promise<S> {
  if (settings.length === 1) return settings[0] as S;
  let best: { readonly setting: S; readonly rate: number } | undefined;
  for (const setting of settings) {
    const rate = await measure(setting);
    if (best === undefined || rate > best.rate) best = { setting, rate };
  }
  if (best === undefined) throw new Error("there are no settings to choose from");
  return best.setting;
}
