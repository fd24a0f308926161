import type { RunEvent } from "../../contract/index.ts";

/** Small events of a run, for tests. */
export const roundFinished = (round: number): RunEvent => ({ type: "round-finished", round, seconds: 1.5 });

export const roundStarted = (round: number): RunEvent => ({
  type: "round-started",
  round,
  plan: "procedural → deduplicate → rejection sampling → greedy decoding",
  startFrom: "champion",
  seedHash: "00",
});

/** What no ledger takes: a round is a whole number. */
export const malformed = { type: "round-finished", round: 1.5, seconds: 1 } as const satisfies RunEvent;
