import type { Measurement } from "../../foundation/contract/index.ts";
import { isOrdered } from "./kinds.ts";
import type { RunStory } from "./story.ts";
import { frontierWord, percent } from "./words.ts";

/** Why no gain over the base is claimed. */
export interface NoClaim {
  /** In a word or two; empty where the run itself is too young to say. */
  readonly verdict: "none" | "none so far" | "not claimed" | "";
  /** At least one, unless nothing was heard of any round yet. */
  readonly reasons: readonly string[];
}

/** For a story without an audit of the champion against the base. */
export function noClaimOf(story: RunStory): NoClaim {
  const { facts, state, champion, rounds, rollbacks } = story;
  const over = state === "finished" || state === "stopped-by-guard" || state === "budget-spent";
  if (rounds.length === 0)
    return over ? { verdict: "none", reasons: ["no round was played"] } : { verdict: "", reasons: [] };
  if (facts?.observe === true)
    return {
      verdict: "none",
      reasons: [
        'nothing was promoted, because decisions were only recorded (the gate is in "observe")',
        ...lastCandidate(story),
      ],
    };
  if (champion.round > 0 && rollbacks.length > 0)
    return {
      verdict: over ? "not claimed" : "",
      reasons: [
        `the champion is that of round ${champion.round}, to which a person went back: \`whetstone run\` audits it against the base`,
      ],
    };
  if (champion.round > 0)
    return over
      ? { verdict: "not claimed", reasons: ["the audit of the champion against the base is missing"] }
      : {
          verdict: "",
          reasons: [`champion of round ${champion.round}; against the base it is audited when the run ends`],
        };
  return over
    ? {
        verdict: "none",
        reasons:
          rollbacks.length > 0
            ? ["a person took the champion back to the base"]
            : ["no round was promoted, the champion is still the base", ...lastCandidate(story)],
      }
    : {
        verdict: "none so far",
        reasons: [
          rollbacks.length > 0 ? "a person took the champion back to the base" : "no round was promoted yet",
        ],
      };
}

function lastCandidate({ rounds, preparation, facts }: RunStory): string[] {
  const last = rounds.findLast(({ validation }) => validation !== null);
  if (last?.validation == null || preparation?.validation == null) return [];
  const [after, before] = [last.validation, preparation.validation];
  const reached = ({ frontier90 }: Measurement): string =>
    isOrdered(facts) ? `, frontier ${frontierWord(frontier90)}` : "";
  return [
    `candidate of round ${last.round} on validation items: ${percent(after.mean)} right${reached(after)}; the base: ${percent(before.mean)}${reached(before)}`,
  ];
}
