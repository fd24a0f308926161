import { z } from "zod";
import { readOptions } from "../foundation/base/index.ts";
import {
  type Decision,
  type GuardFinding,
  guardFindingSchema,
  type Opening,
  openingSchema,
  probeResultSchema,
} from "../foundation/contract/index.ts";
import { levelAt, signedPoints, Wealth } from "../foundation/statistics/index.ts";
import { alsoWords, leadingFinding } from "../lifecycle/guard/index.ts";
import { type Probed, type ProbeOptions, probeWords, togetherWords } from "./probes.ts";

/** Candidate minus champion on one decision item, several samples averaged first; in [−1, 1]. */
export interface Pair {
  readonly difference: number;
  /** No score after retries on either side: the difference is then the worst for the candidate. */
  readonly void: boolean;
}

/** One observation of the gate: as many items of each stratum as its weight asks for. */
export interface PairedBlock {
  readonly pairs: readonly Pair[];
}

export interface GateOptions extends ProbeOptions {
  /** The chance of one false promotion over all openings on these items. */
  readonly alpha: number;
  /** The smallest gain worth having; by default one point where items are fresh, three where they are reused. */
  readonly smallestGain?: number | undefined;
  /** Most pairs of an opening. */
  readonly cap: number;
  /** Most openings on items that are reused; fresh items know no such limit. */
  readonly reusedOpenings: number;
}

export interface OpeningRequest {
  /** Which opening on these decision items this is, from 1 over all runs of the folder. */
  readonly opening: number;
  readonly options: Pick<GateOptions, "alpha" | "cap"> &
    Partial<Pick<GateOptions, "reusedOpenings">> & { readonly smallestGain: number };
  /** The decision items are few, and every opening uses all of them. */
  readonly reused?: boolean;
  /** Answers the next blocks of an order that was fixed in advance: at most `count`; none when no item is left. */
  readonly nextBlocks: (count: number) => Promise<readonly PairedBlock[]>;
}

const openingRequestSchema = z.strictObject({
  opening: z.int().min(1),
  options: z.strictObject({
    alpha: z.number().positive().max(0.5),
    smallestGain: z.number().positive().max(0.5),
    cap: z.int().min(1),
    reusedOpenings: z.int().min(1).optional(),
  }),
  reused: z.boolean().default(false),
  nextBlocks: z.custom<OpeningRequest["nextBlocks"]>(
    (value) => typeof value === "function",
    "expected a function",
  ),
});

/** The smallest gain worth having. */
export function smallestWorth({ smallestGain }: Pick<GateOptions, "smallestGain">, reused: boolean): number {
  return smallestGain ?? (reused ? 0.03 : 0.01);
}

/** The level at which a candidate is found not worth its while. */
const futilityLevel = 0.05;
/** Blocks that are answered at first, and how much further each time: an engine works best on many items at once. */
const firstBlocks = 16;
const growth = 1.5;

/**
 * Opens the gate once: compares candidate and champion on decision items, block after block, until a bet is won. The first
 * bet, that the mean difference is above 0, stops at `better` when its wealth reaches 1/α_r with α_r = α·6/(π²r²); the
 * second, that it is below the smallest gain worth having, stops at `futile` at level .05. Else the cap is reached and a
 * gain is `not-shown`. What was answered beyond the block that stopped it is not looked at.
 *
 * On reused items α_r is divided by 2^(r−1), all pairs are answered whatever the bets say, and nothing leaves but whether the
 * candidate is better: neither wealth nor mean nor stopping point can then tell the next candidate about these items.
 *
 * This is the very function that a run decides by, so whoever doubts it can play openings with blocks of their own
 * (`bench:gate` does). Source: docs/gate.md; betting, Waudby-Smith and Ramdas, arXiv 2010.09686.
 *
 * Throws a user error `invalid-option` for an option that it does not have, RangeError for a difference outside [−1, 1].
 *
 * @example
 * // Blocks of two items, one from each of two strata: the candidate is better on both, every time.
 * const block = { pairs: [{ difference: 1, void: false }, { difference: 1, void: false }] };
 * const opening = await openGate({
 *   opening: 1,
 *   options: { alpha: 0.05, smallestGain: 0.01, cap: 4000 },
 *   nextBlocks: async (count) => Array.from({ length: count }, () => block),
 * });
 * opening.outcome; // "better", after 8 pairs: wealth 54 ≥ 1/α_1 = 33
 */
export async function openGate(request: OpeningRequest): Promise<Opening> {
  const { opening, options, reused, nextBlocks } = readOptions("openGate()", openingRequestSchema, request);
  const alpha = levelAt(opening, options.alpha, reused);
  const better = new Wealth({ than: "greater", mean: 0 });
  const futile = new Wealth({ than: "less", mean: options.smallestGain });
  let [blocks, pairs, voids, sum] = [0, 0, 0, 0];
  const state = (outcome: Opening["outcome"]): Opening => ({
    opening,
    outcome,
    alpha,
    reused,
    ...(reused && options.reusedOpenings !== undefined ? { openings: options.reusedOpenings } : {}),
    wealth: reused ? null : better.value,
    futilityWealth: reused ? null : futile.value,
    blocks,
    pairs,
    voids: reused ? 0 : voids,
    observed: reused ? null : pairs === 0 ? 0 : sum / pairs,
  });
  let shown = false;
  const end = (): Opening => state(shown ? "better" : "not-shown");
  /** Bets on one more block; the opening, where it ends by it. */
  const look = (block: PairedBlock): Opening | null => {
    const differences = block.pairs.map(({ difference }) => difference);
    if (pairs + differences.length > options.cap) return end();
    better.bet(differences);
    futile.bet(differences);
    blocks += 1;
    for (const pair of block.pairs) {
      pairs += 1;
      sum += pair.difference;
      if (pair.void) voids += 1;
    }
    shown ||= better.value >= 1 / alpha;
    if (reused) return null;
    if (shown) return state("better");
    return futile.value >= 1 / futilityLevel ? state("futile") : null;
  };
  for (let asked = firstBlocks; ; asked = Math.ceil(asked * growth)) {
    const answered = await nextBlocks(asked);
    if (answered.length === 0) return end();
    for (const block of answered) {
      const ended = look(block);
      if (ended !== null) return ended;
    }
  }
}

export interface DecisionRequest {
  /** Null when the gate was kept shut: by a guard, or by an obstacle. */
  readonly opening: Opening | null;
  /** Why no block could be made, where an observing gate cannot be opened; null otherwise. */
  readonly obstacle?: string | null;
  readonly findings: readonly GuardFinding[];
  /** Strata that must not drop, as they were found; null where there are none, or none was opened. */
  readonly probed?: Probed | null;
  /** Decisions are recorded, not acted on. */
  readonly observe: boolean;
}

const decisionRequestSchema = z.strictObject({
  opening: openingSchema.nullable(),
  obstacle: z.string().nullable().default(null),
  findings: z.array(guardFindingSchema),
  probed: z
    .strictObject({ kept: z.boolean(), results: z.array(probeResultSchema).readonly() })
    .nullable()
    .default(null),
  observe: z.boolean(),
});

/**
 * Turns scorecard and guards into a decision. A guard that stops or rolls back overrules any gain, and so does a probe that
 * did not show that it was kept; else a candidate is promoted when its opening ended at `better`, and for no other reason.
 *
 * Throws a user error `invalid-option` for an option that it does not have.
 *
 * @example
 * const opening = await openGate({
 *   opening: 2,
 *   options: { alpha: 0.05, smallestGain: 0.01, cap: 4000 },
 *   nextBlocks: async () => [],
 * });
 * decide({ opening, findings: [], observe: false }).decision; // "reject": no decision item was left
 */
export function decide(request: DecisionRequest): Decision {
  const read = readOptions("decide()", decisionRequestSchema, request);
  const { opening: told, obstacle, findings, probed, observe } = read;
  const opening = told === null ? null : withProbes(told, probed);
  const acted = !observe;
  const probes = probed === null || probed.results.length === 0 ? {} : { probes: [...probed.results] };
  const loud = leadingFinding(findings, "roll-back") ?? leadingFinding(findings, "stop");
  if (loud !== undefined)
    return {
      decision: loud.finding.answer === "roll-back" ? "roll-back" : "reject",
      reason: `guard “${loud.finding.guard}”: ${loud.finding.evidence}${alsoWords(loud.also)}`,
      opening,
      ...probes,
      acted,
    };
  if (opening === null) {
    const why = obstacle === null ? "" : `: ${obstacle}`;
    return { decision: "reject", reason: `the gate was not opened${why}`, opening, ...probes, acted };
  }
  const better = opening.outcome === "better";
  return {
    decision: better && probed?.kept !== false ? "promote" : "reject",
    reason: reasonOf(opening) + wordsOf(probed, opening),
    opening,
    ...probes,
    acted,
  };
}

/** What does not leave an opening on reused items is not said either. */
function wordsOf(probed: Probed | null, { outcome, reused }: Opening): string {
  if (probed === null) return "";
  if (outcome === "better") return probeWords(probed);
  return reused ? togetherWords(probed) : "";
}

/** One bit leaves an opening on reused items: that there was a gain while a probe dropped would be a second one. */
function withProbes(opening: Opening, probed: Probed | null): Opening {
  return opening.reused && probed?.kept === false ? { ...opening, outcome: "not-shown" } : opening;
}

function reasonOf({ outcome, opening, openings, pairs, observed, alpha, wealth, voids }: Opening): string {
  if (observed === null || wealth === null) {
    const of = openings === undefined ? "" : ` of ${openings}`;
    const where = `${pairs} reused decision items, opening ${opening}${of}; only the outcome leaves the gate`;
    return outcome === "better" ? `better, on ${where}` : `a gain was not shown on ${where}`;
  }
  const points = `${signedPoints(observed)} points on ${pairs} pairs`;
  const void_ = voids === 0 ? "" : `, ${voids} void ones counted against it`;
  if (outcome === "better")
    return `better: ${points}, evidence ${wealth.toFixed(0)} ≥ ${(1 / alpha).toFixed(0)}${void_}`;
  if (outcome === "futile") return `no gain worth having: ${points}${void_}`;
  return pairs === 0
    ? "no decision item is left that was not used before"
    : `a gain was not shown: ${points}, evidence ${wealth.toFixed(1)} < ${(1 / alpha).toFixed(0)}${void_}`;
}
