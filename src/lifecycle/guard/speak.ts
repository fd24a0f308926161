import type { Guard, GuardFinding, RoundEvidence, StepEvidence } from "../../foundation/contract/index.ts";
import { leadingFinding, stoppedWords } from "./leading.ts";

/** Every guard's answer, in order. */
export function speak(guards: readonly Guard[], evidence: RoundEvidence): GuardFinding[] {
  return guards.map((guard) => ({ guard: guard.name, ...guard.watch(evidence) }));
}

/** Which guard keeps a step from being made, and why; null where none does. */
export function whyBlocked(guards: readonly Guard[], evidence: StepEvidence): string | null {
  const findings = guards.flatMap(({ name, watchStep }): GuardFinding[] =>
    watchStep === undefined ? [] : [{ guard: name, ...watchStep(evidence) }],
  );
  const leading = leadingFinding(findings, "roll-back") ?? leadingFinding(findings, "stop");
  return leading === undefined ? null : `nothing was learnt: ${stoppedWords(leading)}`;
}
