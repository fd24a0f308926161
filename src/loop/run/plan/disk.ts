import { statfs } from "node:fs/promises";
import { existingFolder } from "../../../foundation/base/index.ts";
import { checkpointsOf, stepCadence, stretchesOf, turnsOf } from "../../../gro/method/index.ts";
import type { Method } from "../../../gro/method.ts";
import type { RunDefinition } from "../../round/definition.ts";
import { keepsMoments } from "../../round/policies.ts";
import { preparationOf, preparationSteps } from "../../round/preparation.ts";
import { comparedRounds } from "./baselines-work.ts";
import { examplesOf } from "./work.ts";

/** Of a parameter, in 32 bits each: its value, and its two moments. */
const weightBytes = 4;
const momentBytes = 8;

export interface Disk {
  /** The most that checkpoints take while the whole run goes on. */
  readonly bytes: number;
  /** Of what a round leaves. */
  readonly bytesEachRound: number;
}

/** What the preparation and each round leave, and beside it what a training takes while it is not finished. */
export function countDisk(definition: RunDefinition, fromScratch: boolean, parameters: number): Disk {
  const { optimize, budget } = definition;
  const unfinished = parameters * (weightBytes + momentBytes);
  const finished = keepsMoments(definition) ? unfinished : parameters * weightBytes;
  /** Beside the newest of a series lies the one before it, until that is durable; the last is finished, and counted apart. */
  const beside = (checkpoints: number): number => Math.min(2, Math.max(0, checkpoints - 1)) * unfinished;
  const preparing = preparationOf(definition, fromScratch);
  const steps = preparing === null ? 0 : preparationSteps(preparing);
  // What no step has moved has no moments.
  const prepared = steps === 0 ? parameters * weightBytes : finished;
  const whileItGoesOn = ({ passes }: Method): number =>
    (passes.length - 1) * finished +
    Math.max(0, ...passes.map((pass) => beside(checkpointsOf(pass, examplesOf(definition, pass)))));
  const most = Math.max(
    beside(stretchesOf(steps, stepCadence).length),
    ...turnsOf(optimize, budget.rounds).map(({ method }) => whileItGoesOn(method)),
  );
  const roles = optimize.roles.length;
  const bytesEachRound = budget.rounds === 0 ? 0 : roles * finished;
  // Rounds with permuted rewards leave as much as the run's own, until they are measured.
  const rounds = budget.rounds + comparedRounds(definition);
  return { bytes: roles * (prepared + most) + rounds * bytesEachRound, bytesEachRound };
}

/** Room on the disk of a folder, or of the first one above it that is there. */
export async function freeDisk(folder: string): Promise<number> {
  const { bavail, bsize } = await statfs(await existingFolder(folder));
  return bavail * bsize;
}
