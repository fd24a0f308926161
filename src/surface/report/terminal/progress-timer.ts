import type { Progress } from "../../../foundation/contract/index.ts";

/** What a progress bar shows. */
export interface ProgressView {
  readonly stage: Progress["stage"];
  readonly label: string;
  readonly share: number;
  /** Of the newest optimiser step; null where none is made. */
  readonly loss: number | null;
  readonly elapsedSeconds: number;
  /** Null until there is something to tell it from. */
  readonly remainingSeconds: number | null;
  /** Whether it takes long enough for a bar. */
  readonly long: boolean;
}

/** Work that takes less than this gets no bar. */
const barFromSeconds = 2;
/** Before this much is known the rate says little. */
const rateFromSeconds = 0.4;
/** Steps of set-up are few and unlike each other: their number tells no time. */
const fewestUnits = 8;

interface Timed {
  readonly begun: number;
  readonly firstDone: number;
  readonly latest: Progress;
}

/** Tells how far a piece of work is and how long it still takes. Time is passed in, in milliseconds that never run back. */
export function progressTimer(): {
  hear(progress: Progress, now: number): void;
  forget(): void;
  view(now: number): ProgressView | null;
} {
  let timed: Timed | null = null;
  return {
    hear(progress, now) {
      const known = timed?.latest;
      const same =
        known !== undefined &&
        known.stage === progress.stage &&
        (known.label === progress.label || coarse(progress)) &&
        known.total === progress.total;
      // Two streams of answers that report in turn: the bar never goes back, unless the work begins anew.
      if (same && progress.done < known.done) {
        if (known.done < known.total) return;
      } else if (same && timed !== null) {
        timed = { ...timed, latest: progress };
        return;
      }
      timed = { begun: now, firstDone: progress.done, latest: progress };
    },
    forget() {
      timed = null;
    },
    view(now) {
      if (timed === null) return null;
      const { stage, label, done, total, loss = null } = timed.latest;
      const elapsedSeconds = Math.max(0, now - timed.begun) / 1000;
      // Nobody knows how much there is to do: it has words and no bar.
      if (!(total > 0))
        return { stage, label, loss, share: 0, elapsedSeconds, remainingSeconds: null, long: false };
      const share = Math.max(0, Math.min(1, done / total));
      const gone = done - timed.firstDone;
      const known = gone > 0 && elapsedSeconds >= rateFromSeconds && total >= fewestUnits;
      const remainingSeconds = known ? (elapsedSeconds / gone) * Math.max(0, total - done) : null;
      const long = elapsedSeconds + (remainingSeconds ?? 0) >= barFromSeconds;
      return { stage, label, share, loss, elapsedSeconds, remainingSeconds, long };
    },
  };
}

/** Set-up changes its label all the time and is one piece of work. */
function coarse({ stage }: Progress): boolean {
  return stage === "set-up" || stage === "engine";
}
