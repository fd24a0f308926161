import { statfs } from "node:fs/promises";
import { existingFolder } from "../../../foundation/base/index.ts";
import { checkpointsOf, turnsOf } from "../../../gro/method/index.ts";
import type { Method } from "../../../gro/method.ts";
import type { RunDefinition } from "../../round/definition.ts";
import { keepsMoments } from "../../round/policies.ts";
import { preparationOf, preparationSteps, stepsBetweenCheckpoints } from "../../round/preparation.ts";
import { examplesOf } from "./work.ts";

/** Of a parameter, in 32 bits each: its value, and its two moments. */
const weightBytes = 4;
const momentBytes = 8;

export interface Disk {
  /** Of the checkpoints that the whole run leaves; nothing deletes them. */
  readonly bytes: number;
  /** On average: methods in turn leave different ones. */
  readonly bytesEachRound: number;
}

/** Checkpoints of the preparation and of each round, and those between them that a crash goes on from. */
export function countDisk(definition: RunDefinition, fromScratch: boolean, parameters: number): Disk {
  const { optimize, budget } = definition;
  const unfinished = parameters * (weightBytes + momentBytes);
  const finished = keepsMoments(definition) ? unfinished : parameters * weightBytes;
  /** The last of a role's checkpoints is finished, those before it are not. */
  const series = (count: number): number => (count === 0 ? 0 : (count - 1) * unfinished + finished);
  const preparing = preparationOf(definition, fromScratch);
  const steps = preparing === null ? 0 : preparationSteps(preparing);
  // What no step has moved has no moments.
  const preparation = parameters * weightBytes + series(Math.ceil(steps / stepsBetweenCheckpoints));
  const ofRound = ({ passes }: Method): number =>
    passes.reduce(
      (sum, pass) =>
        sum +
        pass.roles.length * series(checkpointsOf(pass, examplesOf(definition, pass)) / pass.roles.length),
      0,
    );
  const bytesOfRounds = turnsOf(optimize, budget.rounds).reduce(
    (sum, { method, rounds: [first, last] }) => sum + (last - first + 1) * ofRound(method),
    0,
  );
  return {
    bytes: optimize.roles.length * preparation + bytesOfRounds,
    bytesEachRound: budget.rounds === 0 ? 0 : bytesOfRounds / budget.rounds,
  };
}

/** Room on the disk of a folder, or of the first one above it that is there. */
export async function freeDisk(folder: string): Promise<number> {
  const { bavail, bsize } = await statfs(await existingFolder(folder));
  return bavail * bsize;
}
