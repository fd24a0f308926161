import type { RunResult } from "whetstone";
import { closingWords, tellRun } from "../../src/surface/report/index.ts";
import type { FaultyDemo } from "./faulty-demos.ts";

export interface JudgedDemo {
  readonly decisions: readonly string[];
  /** The run's last lines: what was wrong, who found it, what was done, and what to do. */
  readonly last: string;
  /** What is not as it is to be, in words. */
  readonly wrong: readonly string[];
}

/** Whether a demo with a fault ended with the right decision and the right words. */
export function judgeDemo(
  { outcome, decisions, takenBackWithin, words }: FaultyDemo,
  played: Pick<RunResult, "outcome" | "events" | "championRound">,
): JudgedDemo {
  const decided = played.events.flatMap(({ event }) =>
    event.type === "decision-made" ? [event.decision.decision] : [],
  );
  const said = closingWords(tellRun(played.events), { report: "report.html" });
  const last = said.slice(1 + said.findIndex((line) => line.startsWith("report"))).join("\n");
  // Whatever the rounds before the fault showed came to: who is the champion now is what was promoted last.
  const champion = decided.lastIndexOf("promote") + 1;
  const championWords = `The champion is ${champion === 0 ? "the base" : `that of round ${champion}`}.`;
  const rightly = decisions.every((decision, index) => decision === null || decided[index] === decision);
  const takenBack = takenBackWithin === undefined || decided.slice(0, takenBackWithin).includes("roll-back");
  return {
    decisions: decided,
    last,
    wrong: [
      ...(played.outcome === outcome ? [] : [`it ended ${played.outcome}, not ${outcome}`]),
      ...(rightly
        ? []
        : [`it decided ${decided.join(", ")}, not ${decisions.map((one) => one ?? "either").join(", ")}`]),
      ...(takenBack
        ? []
        : [`no round of the first ${takenBackWithin} was taken back: ${decided.join(", ")}`]),
      ...(played.championRound === champion
        ? []
        : [`its champion is that of round ${played.championRound}, not ${champion}`]),
      ...(last.includes(championWords) ? [] : [`it does not say: ${championWords}`]),
      ...words.filter((word) => !word.test(last)).map((word) => `it does not say ${word.source}`),
    ],
  };
}
