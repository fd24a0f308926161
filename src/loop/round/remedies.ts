import type { GuardFinding } from "../../foundation/contract/index.ts";
import type { Remedies } from "../../gro/update/index.ts";

/** Each time that a guard asks, and how far it can go. */
const step = 2;
const farthest = 8;

/** What the rounds to come do otherwise: each remedy that was asked for once more doubles it, up to eightfold, until the run ends. */
export function remediesAfter(before: Remedies, findings: readonly GuardFinding[]): Remedies {
  const asked = new Set(findings.map(({ remedy }) => remedy));
  return {
    learningRate: asked.has("lower-learning-rate")
      ? Math.max(1 / farthest, before.learningRate / step)
      : before.learningRate,
    realData: asked.has("add-real-data") ? Math.min(farthest, before.realData * step) : before.realData,
  };
}
