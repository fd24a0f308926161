import { mkdtempSync, readFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Task } from "../../../foundation/contract/index.ts";
import { stringTask } from "../../../world/task/string-task.ts";
import type { Certificate } from "../../certificate/schema.ts";
import type { RunDefinition } from "../../round/definition.ts";
import { run } from "../../run.ts";
import type { RunConfig } from "../config.ts";
import { promotingRun } from "./last-letter.ts";

/** The last letter of strings of a length: one that is measured whole (3), one that is reused (4), one that is fresh (5). */
const lastLetterOf = (low: number, high: number) =>
  stringTask(
    {
      name: "last letter",
      version: 1,
      answer: (characters) => characters.at(-1) ?? "",
      known: (length, at) => at(length - 1),
    },
    { lengths: [low, high], growTo: high, measureTo: high },
  );

/** The task's truth stands beside its verifier, so that the reward can be judged by it. */
function withTruth(task: Task): Task {
  return { ...task, truth: task.verifier };
}

/** Fresh items, one probe that is measured whole and one on decision items of its own. */
export const freshRun = (rounds: number, rest: Partial<RunConfig> = {}): RunDefinition =>
  promotingRun(rounds, {
    task: withTruth(lastLetterOf(3, 5)),
    gate: { probes: ["length 3", "length 5"], probeMargin: 0.05 },
    ...rest,
  });

/** Decision items that every opening uses again, its probe's too. */
export const reusedRun = (rounds: number, rest: Partial<RunConfig> = {}): RunDefinition =>
  promotingRun(rounds, {
    task: lastLetterOf(4, 4),
    gate: { cap: 400, probes: ["length 4"], probeMargin: 0.1 },
    ...rest,
  });

/** Runs in a folder of its own, which whoever asked removes. */
export async function promote(definition: RunDefinition): Promise<string> {
  const folder = mkdtempSync(join(tmpdir(), "certificate-"));
  await run(definition, { folder });
  return folder;
}

export const pathOf = (folder: string, name: string): string => join(folder, ".whetstone/certificates", name);

export function read(folder: string, name: string): Certificate {
  return JSON.parse(readFileSync(pathOf(folder, name), "utf8")) as Certificate;
}
