import { expect } from "vitest";
import { roleDemonstrations } from "../bench/methods/running-sums.ts";
import {
  defineRun,
  type Method,
  procedural,
  type RunConfig,
  type RunEvent,
  run,
  supervised,
  tiny,
} from "../src/index.ts";

/** Imitation at a table's learning rate. Moments of the preparation would go on moving what nothing is learnt of here. */
export const imitating = supervised({
  steps: 20,
  batch: 16,
  learningRate: 0.2,
  optimizerState: "fresh",
  replay: { newest: 1 },
});

/** How often the run answers right, from the base on, and what each training said of itself. */
export function figuresOf(events: readonly { readonly event: RunEvent }[]) {
  const made = events.flatMap(({ event }): Extract<RunEvent, { type: "training-finished" }>[] =>
    event.type === "training-finished" ? [event] : [],
  );
  return {
    accuracy: events.flatMap(({ event }) =>
      event.type === "validation-measured" ? [event.measurement.mean] : [],
    ),
    right: made.map(({ evidence }) => Number(evidence.rawLabelAccuracy)),
    evidence: made.map(({ evidence }) => evidence),
    summaries: events.flatMap(({ event }) => (event.type === "stage-finished" ? [event.summary] : [])),
  };
}

export interface TableRound {
  readonly name: string;
  readonly task: RunConfig["task"];
  readonly engine: NonNullable<RunConfig["engine"]>;
  readonly optimize: Method;
  /** Steps of the preparation on demonstrations of every role. */
  readonly steps: number;
  /** None if left out. */
  readonly guard?: NonNullable<RunConfig["guard"]>;
}

/** One round on sixteen items of length 4, whatever it makes of them. */
export async function tableRound(
  folder: string,
  { steps, guard = [], ...given }: TableRound,
): Promise<readonly RunEvent[]> {
  const definition = defineRun({
    ...given,
    model: tiny({ layers: 1, width: 16, heads: 2 }),
    prepare: supervised({ on: roleDemonstrations({ noise: 0.35 }), steps, learningRate: 0.1 }),
    acquire: [procedural({ difficulty: 4, items: 16 })],
    select: [],
    evaluate: { perStratum: 8, finalAuditPerStratum: 8 },
    gate: { mode: "observe", cap: 20 },
    guard,
    budget: { rounds: 1 },
  });
  const { events, outcome } = await run(definition, { folder });
  expect(outcome).toBe("rounds-spent");
  return events.map(({ event }) => event);
}
