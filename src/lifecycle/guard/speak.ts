import type { Guard, GuardFinding, RoundEvidence } from "../../foundation/contract/index.ts";

/** Every guard's answer, in order. */
export function speak(guards: readonly Guard[], evidence: RoundEvidence): GuardFinding[] {
  return guards.map((guard) => ({ guard: guard.name, ...guard.watch(evidence) }));
}
