import { openGate } from "whetstone";
import { randomStream } from "../../src/foundation/base/index.ts";
import { controls } from "./controls.ts";
import { nullCases } from "./null-cases.ts";
import { falseRuns, type PowerCell, type PowerPlayed, playPower } from "./play.ts";
import { type Contest, type Played, playContest } from "./winners-curse.ts";

/** A part of the simulation that a thread does by itself; it draws from streams of its own, so the cut changes no number. */
export type Job =
  | {
      readonly kind: "null";
      readonly case: string;
      readonly strata: number;
      readonly runs: readonly [number, number];
    }
  | { readonly kind: "control"; readonly control: string; readonly runs: readonly [number, number] }
  | { readonly kind: "power"; readonly cell: PowerCell; readonly times: number; readonly control?: string }
  | { readonly kind: "contest"; readonly contest: Contest; readonly times: number };

/** What came of a job, by its kind. */
export interface Outcome {
  /** Runs that promoted falsely. */
  readonly wrong?: number;
  readonly power?: PowerPlayed;
  readonly contest?: Played;
}

export async function doJob(job: Job, seed: string): Promise<Outcome> {
  switch (job.kind) {
    case "null": {
      const { strata, runs } = job;
      const played = known(nullCases, job.case);
      return { wrong: await falseRuns({ case: played, gate: openGate, strata, runs, seed }) };
    }
    case "control": {
      const { gate, case: played } = known(controls, job.control);
      if (played === null) throw new Error(`${job.control} has no null case`);
      return { wrong: await falseRuns({ case: played, gate, strata: 1, runs: job.runs, seed }) };
    }
    case "power": {
      const { cell, times, control } = job;
      const gate = control === undefined ? openGate : known(controls, control).gate;
      return { power: await playPower(cell, { gate, times, seed }) };
    }
    case "contest": {
      const { contest, times } = job;
      const random = randomStream(seed, `contest/${contest.candidates}/${contest.items}`);
      return { contest: playContest(contest, times, random) };
    }
  }
}

function known<T>(list: Readonly<Record<string, T>>, name: string): T {
  const found = list[name];
  if (found === undefined) throw new Error(`there is no ${name}`);
  return found;
}
