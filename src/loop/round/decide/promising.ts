import type { Gain } from "../../../foundation/contract/index.ts";
import { plannedDiscordance, showableAt, signedPoints } from "../../../foundation/statistics/index.ts";

export interface PromiseRequest {
  /** Candidate against champion on validation items. */
  readonly gain: Gain;
  /** Which opening this would be. */
  readonly opening: number;
  readonly openings: number;
  readonly pairs: number;
  readonly alpha: number;
  /** The smallest gain worth having. */
  readonly worth: number;
  /** No later round could use the opening. */
  readonly lastRound: boolean;
}

/**
 * Openings on reused items are few, and each is dearer than the one before it: a round closes unopened until its validation
 * gain is promising. It is when the gain that this opening can show lies within one standard error of what validation items
 * say; in the last round, when the gain is worth having. Returns why the gate stays shut, or null. It reads validation items
 * only, so it tells nothing of the decision items.
 */
export function whyUnopened(request: PromiseRequest): string | null {
  const { gain, opening, openings, pairs, alpha, worth, lastRound } = request;
  if (opening > openings) return `its ${openings} openings on these decision items are spent`;
  const showable = showableAt({ pairs, opening, alpha, reused: true }) ?? plannedDiscordance;
  const error = (gain.interval.high - gain.interval.low) / (2 * 1.96);
  if (gain.mean + error >= showable && gain.mean >= worth) return null;
  if (lastRound && gain.mean >= worth) return null;
  const least = lastRound ? worth : Math.max(worth, showable - error);
  return `${signedPoints(gain.mean)} points on validation items does not promise enough yet: opening ${opening} of ${openings} waits for ${signedPoints(least)} points`;
}
