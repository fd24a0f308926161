import type {
  Cost,
  Decision,
  Gain,
  GuardFinding,
  Measurement,
  MeterReading,
  RunEvent,
  TrainingLoss,
} from "../../../foundation/contract/index.ts";

/** A number, and what it is. */
export interface Metric {
  readonly kind:
    | "validation"
    | "audit"
    | "training"
    | "meter"
    | "guard"
    | "decision"
    | "champion"
    | "cost"
    | "time";
  /** Whose it is: `candidate`, `champion`, `base`, or of an audit `before` and `after`; else empty. */
  readonly who: string;
  readonly measure: string;
  /** Empty for the whole. */
  readonly stratum: string;
  /** Null where it could not be known, or is sealed. */
  readonly value: number | null;
  /** The 95 % interval, where there is one. */
  readonly low: number | null;
  readonly high: number | null;
  /** Items, or pairs, behind it. */
  readonly items: number | null;
  readonly unit: string;
  /** What was said with it: a decision, a guard's answer, a stage. */
  readonly word: string;
}

const empty = { who: "", stratum: "", value: null, low: null, high: null, items: null, unit: "", word: "" };

/** The numbers of one event, in a fixed order; most events have none. */
export function metricsOf(event: RunEvent): Metric[] {
  switch (event.type) {
    case "validation-measured": {
      const measured = measurementRows("validation", event.who, event.measurement);
      return event.gain === undefined
        ? measured
        : [...measured, gainRow("validation", event.who, "gain over champion", event.gain)];
    }
    case "audit-measured": {
      const over = event.comparison === "base" ? "gain over base" : "gain over previous champion";
      return [
        ...measurementRows("audit", "before", event.before),
        ...measurementRows("audit", "after", event.after),
        gainRow("audit", "after", over, event.gain),
      ];
    }
    case "model-prepared":
      return lossRows(event.loss);
    case "training-finished":
      return [
        ...Object.entries(event.evidence).flatMap(([measure, value]): Metric[] =>
          typeof value === "number" || value === null ? [{ ...empty, kind: "training", measure, value }] : [],
        ),
        ...lossRows(event.loss),
      ];
    case "meters-read":
      return event.readings.map(meterRow);
    case "guards-spoke":
      return event.findings.flatMap(guardRows);
    case "decision-made":
      // What a person is asked comes again with the answer.
      return event.decision.decision === "ask" ? [] : decisionRows(event.decision);
    case "candidate-promoted":
      return [{ ...empty, kind: "champion", measure: "champion", value: event.round, unit: "round" }];
    case "champion-rolled-back": {
      const word = "rolled back";
      return [
        { ...empty, kind: "champion", measure: "champion", value: event.to.round, unit: "round", word },
      ];
    }
    case "cost-metered":
      return costRows(event.cost);
    case "stage-finished":
      return [{ ...time("stage", event.seconds), word: event.stage }];
    case "round-finished":
      return [time("round", event.seconds)];
    default:
      return [];
  }
}

function measurementRows(kind: "validation" | "audit", who: string, measurement: Measurement): Metric[] {
  const { mean, interval, strata, frontier50, frontier90 } = measurement;
  const accuracy = { ...empty, kind, who, measure: "accuracy", unit: "share" };
  const items = strata.reduce((sum, stratum) => sum + stratum.items, 0);
  return [
    { ...accuracy, value: mean, ...interval, items },
    ...strata.map(({ stratum, mean: value, items: own }) => ({ ...accuracy, stratum, value, items: own })),
    { ...empty, kind, who, measure: "frontier at 90 %", value: frontier90, unit: "difficulty" },
    { ...empty, kind, who, measure: "frontier at 50 %", value: frontier50, unit: "difficulty" },
  ];
}

function gainRow(
  kind: "validation" | "audit",
  who: string,
  measure: string,
  { mean, interval, pairs }: Gain,
): Metric {
  return { ...empty, kind, who, measure, value: mean, ...interval, items: pairs, unit: "share" };
}

/** The curve of a training, a row a point; the word says which steps it is the mean of. */
function lossRows(loss: TrainingLoss | undefined): Metric[] {
  if (loss === undefined) return [];
  const { steps, means } = loss;
  const endOf = (point: number): number => Math.round((point * steps) / means.length);
  return means.map((value, point) => {
    const [first, last] = [endOf(point) + 1, endOf(point + 1)];
    const word = first === last ? `step ${first}` : `steps ${first} to ${last}`;
    return { ...empty, kind: "training", measure: "loss", value, unit: "per token", word };
  });
}

function meterRow({ meter, value, unit, interval, note = "" }: MeterReading): Metric {
  return { ...empty, kind: "meter", measure: meter, value, unit, ...interval, word: note };
}

function guardRows({ guard, value, threshold, answer }: GuardFinding): Metric[] {
  return [
    { ...empty, kind: "guard", measure: guard, value, word: answer },
    { ...empty, kind: "guard", measure: `${guard}: threshold`, value: threshold },
  ];
}

/** The numbers of an opening; those that reused decision items keep to themselves are not there. */
function decisionRows({ decision, opening, acted }: Decision): Metric[] {
  const row = { ...empty, kind: "decision" } as const;
  const made = {
    ...row,
    measure: "promoted",
    value: acted && decision === "promote" ? 1 : 0,
    word: decision,
  };
  if (opening === null) return [made];
  const { opening: number, alpha, wealth, pairs, observed, outcome } = opening;
  return [
    { ...made, items: pairs },
    { ...row, measure: "opening", value: number, word: outcome },
    { ...row, measure: "opening: alpha", value: alpha },
    { ...row, measure: "opening: wealth", value: wealth },
    { ...row, measure: "opening: observed", value: observed, items: pairs, unit: "share" },
  ];
}

/** Of the whole run so far. */
function costRows(cost: Cost): Metric[] {
  const units: Readonly<Record<keyof Cost, string>> = {
    tokensSampled: "tokens",
    tokensTrained: "tokens",
    optimizerSteps: "steps",
    busySeconds: "seconds",
    availableSeconds: "seconds",
    wallSeconds: "seconds",
    chargedSeconds: "seconds",
    currency: "currency",
  };
  return (Object.keys(units) as (keyof Cost)[]).flatMap((measure) => {
    const value = cost[measure];
    return value === undefined ? [] : [{ ...empty, kind: "cost", measure, value, unit: units[measure] }];
  });
}

function time(measure: string, value: number): Metric {
  return { ...empty, kind: "time", measure, value, unit: "seconds" };
}
