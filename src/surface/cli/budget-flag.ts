import { nearest } from "../../foundation/base/index.ts";
import { type BudgetChange, budgetNames } from "../../loop/run/budget.ts";

type BudgetName = (typeof budgetNames)[number];

const sizes: Readonly<Record<string, number>> = { "": 1, k: 1e3, M: 1e6, G: 1e9 };
const durations: Readonly<Record<string, number>> = { "": 1, s: 1, min: 60, h: 3600, d: 86_400 };

const counts: ReadonlySet<BudgetName> = new Set<BudgetName>(["rounds", "tokens", "steps"]);

/**
 * Reads `rounds=8,tokens=2M,wallSeconds=2h,currency=5`; `tokens=none` takes a cap away. Throws a `RangeError` that says what is
 * wrong and names the nearest right part.
 */
export function readBudget(text: string): BudgetChange {
  const change: Partial<Record<BudgetName, number | null>> = {};
  for (const part of text.split(",")) {
    const [, given, written] = /^\s*([^=\s]*)\s*=\s*(\S+)\s*$/.exec(part) ?? [];
    if (given === undefined || written === undefined)
      throw new RangeError(`--budget takes parts such as rounds=8,tokens=2M, and "${part.trim()}" is none.`);
    const name = nameOf(given);
    if (name in change) throw new RangeError(`--budget names ${name} twice.`);
    change[name] = written === "none" && name !== "rounds" ? null : amountOf(name, written);
  }
  return change as BudgetChange;
}

function nameOf(given: string): BudgetName {
  const name = budgetNames.find((one) => one.toLowerCase() === given.replaceAll("-", "").toLowerCase());
  if (name !== undefined) return name;
  const meant = nearest(given, budgetNames);
  const hint = meant === undefined ? `it has ${budgetNames.join(", ")}.` : `did you mean ${meant}?`;
  throw new RangeError(`A budget has no "${given}"; ${hint}`);
}

function amountOf(name: BudgetName, written: string): number {
  const [, digits = "", unit = ""] = /^(\d+(?:\.\d+)?)([a-zA-Z]*)$/.exec(written) ?? [];
  const units = name === "wallSeconds" ? durations : counts.has(name) ? sizes : { "": 1 };
  const size = units[unit];
  // 0.3M is 300,000, not a hair beside it.
  const amount = Number((Number(digits) * (size ?? Number.NaN)).toPrecision(15));
  const whole = !counts.has(name) || Number.isSafeInteger(amount);
  const enough = name === "rounds" ? amount >= 0 : amount > 0;
  if (digits !== "" && whole && enough) return amount;
  const examples: Readonly<Record<BudgetName, string>> = {
    rounds: "8",
    tokens: "2M, 500k or none",
    steps: "20k or none",
    wallSeconds: "5400, 90min, 2h or none",
    currency: "2.5 or none",
  };
  throw new RangeError(`${name} of --budget is an amount such as ${examples[name]}, not "${written}".`);
}
