import {
  exactProbe,
  openProbe,
  type Probed,
  probedOf,
  probeLevelAt,
  type WholeStratum,
} from "../../probes.ts";
import type { RoundContext } from "../context.ts";
import type { AnsweredBlock, BlocksRequest } from "./blocks.ts";
import { answeredBlocks } from "./blocks.ts";
import type { PlannedProbe } from "./probe-parts.ts";
import { longestAnswer } from "./reused-opening.ts";

/** What was answered for a probe, in order. */
export interface ProbeAnswers {
  readonly stratum: string;
  readonly blocks: readonly AnsweredBlock[];
}

export interface OpenedProbes {
  readonly probed: Probed;
  readonly answers: readonly ProbeAnswers[];
}

/** Strata that were measured whole on validation, as probes: what is known before any decision item is used. */
export function exactProbes(planned: readonly PlannedProbe[], whole: readonly WholeStratum[]): Probed {
  return probedOf(
    planned.flatMap(({ stratum, margin, exact }) => {
      const measured = exact ? whole.find((one) => one.stratum === stratum.name) : undefined;
      return measured === undefined ? [] : [exactProbe(measured, margin)];
    }),
  );
}

/**
 * Opens the probes that are not measured whole, each on decision items of its own stratum. Where the gate's own items are fresh,
 * openings on a probe's reused ones are counted by themselves.
 */
export async function openProbes(
  context: RoundContext,
  planned: readonly PlannedProbe[],
  exact: Probed,
  request: Omit<BlocksRequest, "plan" | "part"> & { readonly gateReused: boolean },
): Promise<OpenedProbes> {
  const { ledger, definition } = context;
  const { items, owner, gateReused } = request;
  const results = [...exact.results];
  const answers: ProbeAnswers[] = [];
  for (const { stratum, margin, reused, pairs: cap } of planned.filter((probe) => !probe.exact)) {
    const key = gateReused ? items : `${items}/probes`;
    const level = probeLevelAt(reused ? ledger.openingNumber(key, owner) : 1, reused);
    const next = answeredBlocks(context, {
      ...request,
      // What the gate has answered of this stratum is used: the probe's own items are others.
      owner: reused ? owner : `${owner}/probes`,
      plan: { parts: [{ strata: [stratum], count: 1 }], reused, pairs: cap },
      part: `probe-${stratum.name}`,
    });
    const blocks: AnsweredBlock[] = [];
    const charge = reused ? context.sealCost() : undefined;
    const result = await openProbe({
      stratum: stratum.name,
      margin,
      level,
      reused,
      cap,
      nextPairs: async (count) => {
        const answered = await next(count);
        blocks.push(...answered);
        return answered;
      },
    });
    charge?.(2 * result.pairs * longestAnswer(definition.task, stratum));
    results.push(result);
    answers.push({ stratum: stratum.name, blocks: blocks.slice(0, result.pairs) });
  }
  return { probed: probedOf(results), answers };
}
