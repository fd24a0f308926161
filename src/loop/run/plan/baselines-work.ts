import { turnsOf } from "../../../gro/method/index.ts";
import { mostAnswers } from "../../round/baselines/best-of-base.ts";
import { shortShare } from "../../round/baselines/comparison-point.ts";
import { ofSampling, ofTraining } from "../../round/compute.ts";
import type { RunDefinition } from "../../round/definition.ts";
import { baselinesOf } from "../baselines.ts";
import type { Work } from "./stage-work.ts";

/** Tokens of a kind of work. */
type Tokens = Pick<Work, "tokensSampled" | "tokensTrained">;

export interface BaselinesRequest {
  readonly definition: RunDefinition;
  /** Of the method of each turn, in one round. */
  readonly optimizing: readonly Tokens[];
  /** Of one answer to every validation item, and of the run's own. */
  readonly answers: number;
  readonly validation: number;
  /** There are data that no model wrote. */
  readonly external: boolean;
}

/** Rounds whose compute each baseline gets, if all take as much as each other; 0 where there are none. */
export function comparedRounds(definition: RunDefinition): number {
  const { mode } = baselinesOf(definition);
  if (mode === "off") return 0;
  return mode === "short" ? Math.ceil(shortShare * definition.budget.rounds) : definition.budget.rounds;
}

/** What baselines take, counted as if every round took as much as the plan says. */
export function baselinesWork(request: BaselinesRequest): Work[] {
  const { definition, optimizing, answers, validation, external } = request;
  const { optimize, budget } = definition;
  const { mode } = baselinesOf(definition);
  if (mode === "off") return [];
  const rounds = comparedRounds(definition);
  let [tokensSampled, tokensTrained] = [0, 0];
  for (const [index, { rounds: played }] of turnsOf(optimize, budget.rounds).entries()) {
    const own = optimizing[index];
    const count = Math.min(played[1], rounds) - played[0] + 1;
    if (own === undefined || count <= 0) continue;
    tokensSampled += count * own.tokensSampled;
    tokensTrained += count * own.tokensTrained;
  }
  const writes = tokensSampled > 0;
  const compute = ofSampling * tokensSampled + ofTraining * tokensTrained;
  const voted = Math.min(compute / ofSampling, mostAnswers * answers);
  const of = `the compute of ${rounds === 1 ? "a round" : `${rounds} rounds`}${mode === "full" ? ", outside of the budget" : ""}`;
  const everywhere = Number.POSITIVE_INFINITY;
  const roles = optimize.roles.length;
  const work = (what: string, sampled: number, trained: number, lanes: number): Work => ({
    stage: "baseline",
    what: `${what}, with ${of}`,
    tokensSampled: sampled,
    tokensTrained: trained,
    lanes,
  });
  // The first of them has the base and the run's own answer too, beside which all are measured.
  const beside = 2 * validation;
  return [
    work("the base with many answers", (voted < 2 * answers ? 0 : voted) + beside, 0, everywhere),
    ...(external && writes
      ? [work("supervised on external data only", validation, compute / ofTraining, 1)]
      : []),
    ...(writes ? [work("permuted rewards", tokensSampled + validation, tokensTrained, roles)] : []),
  ];
}
