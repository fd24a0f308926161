import type { RunEvent } from "../../foundation/contract/index.ts";
import type { RoundStory, StageStory, TrainingStory } from "./story.ts";

type Writable<T> = { -readonly [K in keyof T]: T[K] };

/** A round while its events are heard. */
export type RoundDraft = Writable<Omit<RoundStory, "stages">> & { readonly stages: Writable<StageStory>[] };

export function newRound(round: number): RoundDraft {
  return {
    round,
    plan: null,
    startFrom: null,
    seedHash: null,
    seed: null,
    stages: [],
    checkpoint: null,
    training: null,
    loss: null,
    validation: null,
    validationGain: null,
    readings: [],
    findings: [],
    remedies: null,
    decision: null,
    promoted: false,
    certificate: null,
    givenUp: false,
    audit: null,
    samples: [],
    spent: null,
    seconds: null,
    finished: false,
  };
}

/** Adds an event to its round; every kind has a place of its own, so their order does not matter. */
export function roundHears(draft: RoundDraft, event: RunEvent, at: number): void {
  switch (event.type) {
    case "round-started":
      draft.plan = event.plan;
      draft.startFrom = event.startFrom;
      draft.seedHash = event.seedHash;
      return;
    case "stage-started":
      draft.stages.push({ stage: event.stage, label: event.label, since: at, summary: null, seconds: null });
      return;
    case "stage-finished": {
      const { stage, summary, seconds } = event;
      const open = draft.stages.findLast((known) => known.stage === stage && known.summary === null);
      if (open === undefined) draft.stages.push({ stage, label: "", since: null, summary, seconds });
      else Object.assign(open, { summary, seconds });
      return;
    }
    case "model-prepared":
      draft.checkpoint = event.checkpoint;
      draft.loss = event.loss ?? null;
      return;
    case "training-finished":
      draft.checkpoint = event.checkpoint;
      draft.training = trainingOf(event.evidence);
      draft.loss = event.loss ?? null;
      return;
    case "validation-measured":
      // The champion's own measurement is the one of its round; measured again it is the same.
      if (event.who === "champion") return;
      draft.validation = event.measurement;
      draft.validationGain = event.gain ?? null;
      return;
    case "meters-read":
      draft.readings = event.readings;
      return;
    case "guards-spoke":
      draft.findings = event.findings;
      return;
    case "remedies-applied":
      draft.remedies = { learningRate: event.learningRate, realData: event.realData };
      return;
    case "decision-made":
      draft.decision = event.decision;
      draft.seed = event.seed;
      return;
    case "candidate-promoted":
      draft.promoted = true;
      return;
    case "certificate-made":
      draft.certificate = event.hash;
      return;
    case "champion-rolled-back":
      draft.givenUp = !draft.finished;
      return;
    case "audit-measured": {
      const { round, before, after, gain } = event;
      draft.audit = { round, before, after, gain };
      return;
    }
    case "samples-shown":
      draft.samples = event.samples;
      return;
    case "round-finished":
      draft.seconds = event.seconds;
      draft.finished = true;
      return;
    default:
      return;
  }
}

function trainingOf(evidence: Readonly<Record<string, unknown>>): TrainingStory {
  const number = (name: string): number | null => {
    const value = evidence[name];
    return typeof value === "number" && Number.isFinite(value) ? value : null;
  };
  return {
    rollouts: number("rollouts"),
    kept: number("kept"),
    rawLabelAccuracy: number("rawLabelAccuracy"),
    keptLabelAccuracy: number("keptLabelAccuracy"),
    tokensTrained: number("tokensTrained"),
    realShare: number("realShare"),
  };
}
