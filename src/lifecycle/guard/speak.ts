import type { Guard, GuardFinding, RoundEvidence, StepEvidence } from "../../foundation/contract/index.ts";

/** Every guard's answer, in order. */
export function speak(guards: readonly Guard[], evidence: RoundEvidence): GuardFinding[] {
  return guards.map((guard) => ({ guard: guard.name, ...guard.watch(evidence) }));
}

/** Which guard keeps a step from being made, and why; null where none does. */
export function whyBlocked(guards: readonly Guard[], evidence: StepEvidence): string | null {
  for (const { name, watchStep } of guards) {
    const finding = watchStep?.(evidence);
    if (finding?.answer === "stop" || finding?.answer === "roll-back")
      return `nothing was learnt: ${name}: ${finding.evidence}`;
  }
  return null;
}
