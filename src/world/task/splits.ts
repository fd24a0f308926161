import { createHmac } from "node:crypto";
import type { Split } from "../../foundation/contract/index.ts";

/** Upper ends of train 50 %, validation 10 %, decision 25 % and audit 15 %, in 2^48ths. */
const ends: readonly (readonly [Split, number])[] = [
  ["train", 0.5],
  ["validation", 0.6],
  ["decision", 0.85],
  ["audit", 1],
];

export const splitShares: Readonly<Record<Split, number>> = {
  train: 0.5,
  validation: 0.1,
  decision: 0.25,
  audit: 0.15,
};

/**
 * Where an item's canonical form puts it, once and for ever: a keyed hash, the key being the task's name and version, never
 * a run's seed. So no run can train on what another is judged by.
 */
export function splitOf(task: { readonly name: string; readonly version: number }, canonical: string): Split {
  const digest = createHmac("sha256", `${task.name}@${task.version}`).update(canonical).digest();
  const point = digest.readUIntBE(0, 6) / 2 ** 48;
  return ends.find(([, end]) => point < end)?.[0] ?? "audit";
}
