import { z } from "zod";
import { userError } from "../../foundation/base/index.ts";
import { type Budget, budgetSchema, type CapName, type Cost } from "../../foundation/contract/index.ts";
import type { RunDefinition } from "../round/definition.ts";

/** Parts of a budget that are changed: one that is not named stays, `null` takes a cap away. */
export type BudgetChange = Readonly<
  { rounds?: number | undefined } & { [Name in CapName]?: number | null | undefined }
>;

const cap = (schema: z.ZodType<number | undefined>) => schema.nullish();
export const budgetChangeSchema = z
  .strictObject({
    rounds: budgetSchema.shape.rounds.optional(),
    tokens: cap(budgetSchema.shape.tokens),
    steps: cap(budgetSchema.shape.steps),
    wallSeconds: cap(budgetSchema.shape.wallSeconds),
    currency: cap(budgetSchema.shape.currency),
  })
  .optional();

/** Names of a budget's parts, in the order in which they are told. */
export const budgetNames = ["rounds", "tokens", "steps", "wallSeconds", "currency"] as const;

/** The caps beside the rounds, in the order in which they are looked at. */
export const capNames: readonly CapName[] = ["tokens", "steps", "wallSeconds", "currency"];

/** A definition with another budget. Throws what {@link checkBudget} throws. */
export function withBudget(definition: RunDefinition, change: BudgetChange): RunDefinition {
  const budget: Record<string, number | null | undefined> = { ...definition.budget };
  for (const name of budgetNames) if (change[name] !== undefined) budget[name] = change[name];
  const kept = Object.fromEntries(Object.entries(budget).filter(([, value]) => value != null));
  const changed = { ...definition, budget: budgetSchema.parse(kept) };
  checkBudget(changed);
  return changed;
}

/**
 * Refuses a cap on wall time where somebody asked that equal runs come to equal bits: how far a run comes would then depend on the
 * clock. Tables compute equal bits without being asked, and are not refused. Throws a user error `invalid-option`.
 */
export function checkBudget({ budget, engine }: Pick<RunDefinition, "budget" | "engine">): void {
  if (budget.wallSeconds === undefined || engine.description.deterministic !== true) return;
  throw userError(
    "invalid-option",
    'A cap on wall time ("budget.wallSeconds") cannot stand beside an engine that is `deterministic`: where the run stops would depend on the clock. Cap tokens or steps instead.',
  );
}

/** What of a cost counts against a cap. */
export function spentOf(cap: CapName, cost: Cost): number {
  switch (cap) {
    case "tokens":
      return cost.tokensSampled + cost.tokensTrained;
    case "steps":
      return cost.optimizerSteps;
    case "wallSeconds":
      return cost.chargedSeconds ?? cost.wallSeconds;
    case "currency":
      return cost.currency ?? 0;
  }
}

/** Whether one budget allows more than another in any of its parts. */
export function isBeyond(budget: Budget, approved: Budget): boolean {
  return budgetNames.some(
    (name) => (budget[name] ?? Number.POSITIVE_INFINITY) > (approved[name] ?? Number.POSITIVE_INFINITY),
  );
}

/** The least that two budgets both allow. */
export function withinBoth(one: Budget, other: Budget): Budget {
  const least = budgetNames.flatMap((name) => {
    const values = [one[name], other[name]].filter((value) => value !== undefined);
    return values.length === 0 ? [] : [[name, Math.min(...values)]];
  });
  return budgetSchema.parse(Object.fromEntries(least));
}

/** Those parts of a budget that there are, in words: `8 rounds, 2,000,000 tokens`. */
export function budgetWords(budget: Partial<Budget>): string {
  return budgetNames
    .flatMap((name) => {
      const value = budget[name];
      return value === undefined ? [] : [amountWords(name, value)];
    })
    .join(", ");
}

/** An amount that is told as one to choose, in two figures, rounded up. */
export function twoFigures(amount: number): number {
  const figure = 10 ** (Math.floor(Math.log10(amount)) - 1);
  // One that is a fraction is not a hair beside it.
  return Number((Math.ceil(amount / figure) * figure).toPrecision(12));
}

/** An amount of a part of a budget: `2,000,000 tokens`, `1.25 of the engine's currency`. */
export function amountWords(name: keyof Budget, value: number): string {
  const count = (digits: number): string => value.toLocaleString("en-US", { maximumFractionDigits: digits });
  switch (name) {
    case "rounds":
      return `${count(0)} ${value === 1 ? "round" : "rounds"}`;
    case "tokens":
      return `${count(0)} tokens`;
    case "steps":
      return `${count(0)} steps`;
    case "wallSeconds":
      return `${count(value < 10 ? 1 : 0)} s`;
    case "currency":
      return `${count(value < 1 ? 4 : 2)} of the engine's currency`;
  }
}
