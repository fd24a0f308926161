import type { EventOf, StoredEvent } from "../../../foundation/contract/index.ts";

/** Weights, what they were trained on from, and so on, down to those that the run began with: the newest first. */
export function lineageOf(events: readonly StoredEvent[], checkpoint: string): readonly string[] {
  const parents = new Map<string, string | undefined>();
  let [base, champion, candidate, start]: (string | undefined)[] = [];
  for (const { event } of events) {
    if (event.type === "model-prepared") {
      base = champion = candidate = event.checkpoint;
      parents.set(event.checkpoint, undefined);
    }
    if (event.type === "round-started") start = { base, champion, candidate }[event.startFrom];
    if (event.type === "training-finished") {
      parents.set(event.checkpoint, start);
      candidate = event.checkpoint;
    }
    if (event.type === "candidate-promoted") champion = event.checkpoint;
    if (event.type === "champion-rolled-back") champion = event.to.checkpoint;
  }
  const lineage: string[] = [];
  for (
    let at: string | undefined = checkpoint;
    at !== undefined && !lineage.includes(at);
    at = parents.get(at)
  )
    lineage.push(at);
  return lineage;
}

/** The decision on these weights, with the commitment to its seed that was made before they were trained. */
export function decisionOn(
  events: readonly StoredEvent[],
  round: number,
): { readonly decision: EventOf<"decision-made">; readonly seedHash: string | undefined } | undefined {
  const of = <T extends "decision-made" | "round-started">(type: T) =>
    events.findLast(({ event }) => event.type === type && "round" in event && event.round === round)?.event as
      | EventOf<T>
      | undefined;
  const decision = of("decision-made");
  return decision === undefined ? undefined : { decision, seedHash: of("round-started")?.seedHash };
}
