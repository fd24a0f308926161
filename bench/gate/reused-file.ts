import type { Opening, Pair } from "whetstone";
import type { RandomStream } from "../../src/foundation/base/index.ts";
import { listedBlocks, loss, win } from "./blocks.ts";
import type { NullCase } from "./null-case.ts";

const items = 125;
/** Properties of an item that a candidate may be better or worse by; each halves all items there could be. */
const features = 64;

/** What an adversary submits: better where the weighted vote of an item's properties is positive, else worse. */
interface Submission {
  readonly weights: Float64Array;
  /** Share of items on which it is better whatever they vote: its true gain. */
  readonly gain: number;
}

interface Adversary {
  readonly submit: (opening: number) => Submission;
  readonly told: (opening: Opening) => void;
}

/**
 * A file whose 125 decision items every opening uses. An item has 64 properties, each as likely as not, so that whatever a vote
 * of properties is better on, it is worse on as much elsewhere: without a gain of its own no submission has a true gain, but
 * one that has learnt which properties prevail among *these* items has one on them (the attack of Blum and Hardt,
 * arXiv 1502.04585).
 */
export function reusedFile(adversaryOf: () => Adversary): NullCase {
  return ({ strata, random }) => {
    const file = Array.from({ length: items }, () =>
      Int8Array.from({ length: features }, () => (random.uniform() < 0.5 ? 1 : -1)),
    );
    const adversary = adversaryOf();
    return {
      open: (opening) => {
        const { weights, gain } = adversary.submit(opening);
        const pairs = random
          .shuffle(file)
          .map((item): Pair => (random.uniform() < gain || votes(item, weights, random) ? win : loss));
        return { nextBlocks: listedBlocks(pairs, strata), reused: true, withoutGain: gain === 0 };
      },
      told: adversary.told,
    };
  };
}

function votes(item: Int8Array, weights: Float64Array, random: RandomStream): boolean {
  let sum = 0;
  for (let index = 0; index < features; index++) sum += (item[index] as number) * (weights[index] as number);
  return sum > 0 || (sum === 0 && random.uniform() < 0.5);
}

/**
 * Tries one property after the other, and every second time the vote of all that were tried, each by what the gate said of it. To a
 * gate that tells more than its bit it listens longer before it votes.
 */
export function learnsFromBits(): Adversary {
  return learner(() => 0);
}

/** As {@link learnsFromBits}, after four submissions with a true gain so large that either bit tells something. */
export function probesFirst(): Adversary {
  return learner((opening) => [0.2, 0.27, 0.36, 0.45][opening - 1] ?? 0);
}

function learner(gainAt: (opening: number) => number): Adversary {
  const learnt = new Float64Array(features);
  let tried = 0;
  let hears = false;
  let asked: { readonly feature: number; readonly gain: number } | null = null;
  return {
    submit: (opening) => {
      const gain = gainAt(opening);
      if (gain === 0 && (hears ? opening > 46 : opening % 2 === 0)) {
        asked = null;
        return { weights: learnt, gain };
      }
      asked = { feature: tried++, gain };
      const weights = new Float64Array(features);
      weights[asked.feature] = 1;
      return { weights, gain };
    },
    told: ({ observed, outcome }) => {
      if (asked === null) return;
      hears = observed !== null;
      learnt[asked.feature] = observed === null ? (outcome === "better" ? 1 : -1) : observed - asked.gain;
    },
  };
}
