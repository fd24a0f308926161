import type { GuardFinding } from "../../foundation/contract/index.ts";
import { acts, leadingFinding, stoppedWords } from "../../lifecycle/guard/index.ts";
import { guardAdvice } from "./guard-advice.ts";
import type { RoundStory, RunStory } from "./story.ts";
import { capital, listRounds, remedyWords } from "./words.ts";

/** What a guard that acted has to say to people: each a name of a word or two, and one or two sentences. */
export type GuardVerdict = readonly (readonly [name: string, text: string])[];

interface Act {
  readonly round: RoundStory;
  readonly acting: readonly GuardFinding[];
}

/**
 * What was wrong, which guard found it, what it did, and what to do next, where a guard stopped the run or took rounds back; of the
 * stop, if there was one. Empty where no guard acted.
 */
export function guardVerdict(story: RunStory): GuardVerdict {
  const acted = story.rounds.flatMap((round): Act[] => {
    const acting = round.findings.filter(acts);
    return acting.length === 0 || round.decision?.acted !== true ? [] : [{ round, acting }];
  });
  const last = acted.at(-1);
  if (last === undefined) return [];
  const wanted = story.state === "stopped-by-guard" ? "stop" : "roll-back";
  const leading = leadingFinding(last.acting, wanted);
  if (leading === undefined) return [];
  const { guard, answer, evidence } = leading.finding;
  const same = acted.filter(({ acting }) =>
    acting.some((one) => one.guard === guard && one.answer === answer),
  );
  const { wrong, toDo } = guardAdvice[guard] ?? {
    wrong: `${evidence}.`,
    toDo: "Read what it demands in the report.",
  };
  const others = new Set(
    same.flatMap(({ acting }) => acting.map((one) => one.guard)).filter((name) => name !== guard),
  );
  const rounds = roundsWords(same.map(({ round }) => round.round));
  return [
    ["wrong", wrong],
    [
      "found by",
      `the guard “${guard}”, in ${rounds}${others.size === 0 ? "" : `; also by “${[...others].join("”, “")}”`}`,
    ],
    [
      "done",
      [...(answer === "stop" ? stopWords(last) : rollBackWords(same, story)), championWords(story)].join(" "),
    ],
    ["to do", answer === "stop" ? `${toDo} Any change to the config then starts a new run.` : toDo],
  ];
}

/** Which guard stopped the run, and why: the one that the verdict names, whatever order they spoke in. */
export function stopReason({ rounds, reason }: Pick<RunStory, "rounds" | "reason">): string {
  const stopped = rounds.findLast(
    ({ decision, findings }) => decision?.acted === true && leadingFinding(findings, "stop") !== undefined,
  );
  const leading = stopped && leadingFinding(stopped.findings, "stop");
  return leading === undefined ? (reason ?? "") : stoppedWords(leading);
}

function stopWords({ round }: Act): string[] {
  return [
    ...(round.training?.tokensTrained === 0 ? ["Nothing was learnt from it."] : []),
    `The run was stopped in round ${round.round}, and the round was not promoted.`,
  ];
}

function rollBackWords(acts: readonly Act[], { rounds }: RunStory): string[] {
  const [first] = acts;
  const several = acts.length > 1;
  const remedies = rounds.findLast((one) => one.round > (first?.round.round ?? 0))?.remedies ?? null;
  return [
    `${capital(roundsWords(acts.map(({ round }) => round.round)))} ${several ? "were" : "was"} taken back: ${several ? "their" : "its"} weights were given up.`,
    ...(remedies === null ? [] : [`Since then the run ${remedyWords(remedies)}.`]),
  ];
}

function championWords({ champion: { round } }: RunStory): string {
  return `The champion is ${round === 0 ? "the base" : `that of round ${round}`}.`;
}

function roundsWords(rounds: readonly number[]): string {
  return `${rounds.length === 1 ? "round" : "rounds"} ${listRounds(rounds)}`;
}
