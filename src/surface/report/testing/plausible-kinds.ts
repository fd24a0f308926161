import { randomStream, sha256 } from "../../../foundation/base/index.ts";
import type {
  Cost,
  Decision,
  Gain,
  Measurement,
  RunEvent,
  ShownSample,
  StageName,
  StoredEvent,
} from "../../../foundation/contract/index.ts";
import { spend, zeroCost } from "./plausible-measures.ts";
import { plausibleFindings, plausibleReadings } from "./plausible-parts.ts";

export interface PlausibleKindsOptions {
  readonly kinds?: readonly string[];
  /** As many as there are entries. Default: promoted, unopened, opened and not shown, promoted. */
  readonly rounds?: readonly ("promoted" | "unopened" | "not-shown")[];
  readonly samples?: readonly ShownSample[];
}

const kindsOfArithmetic = ["product", "sum", "difference"];

/**
 * The events of a made-up run whose difficulties are kinds and whose decision items are reused, as those of a file: for
 * tests and for looking at views.
 *
 * @example
 * const story = tellRun(plausibleKinds());
 */
export function plausibleKinds(options: PlausibleKindsOptions = {}): StoredEvent[] {
  const { kinds = kindsOfArithmetic, samples = shownOfArithmetic } = options;
  const { rounds = ["promoted", "unopened", "not-shown", "promoted"] } = options;
  const random = randomStream(0, "plausible-kinds");
  const run = "1-smollm";
  const stored: StoredEvent[] = [];
  let at = Date.UTC(2025, 10, 3, 9, 30);
  let cost: Cost = zeroCost;
  const tell = (event: RunEvent): void => {
    stored.push({ id: stored.length + 1, run, at, event });
  };
  const stage = (
    round: number,
    name: StageName,
    seconds: number,
    summary: string,
    events: RunEvent[],
  ): void => {
    tell({ type: "stage-started", round, stage: name, label: name });
    cost = spend(cost, name, seconds, random);
    at += seconds * 1000;
    for (const event of events) tell(event);
    tell({ type: "stage-finished", round, stage: name, seconds, summary });
  };
  const measured = (skill: number, split: Measurement["split"]): Measurement => {
    const strata = kinds.map((stratum, index) => {
      const mean = Math.min(0.99, (0.57 + 0.35 * skill) / (1 + index * 0.7));
      return {
        stratum,
        difficulty: index + 1,
        items: index === 0 ? 66 : 64,
        mean,
        voids: 0,
        enumerated: index === 0,
      };
    });
    const claimed = strata.slice(kinds.length > 1 ? 1 : 0);
    const mean = claimed.reduce((sum, one) => sum + one.mean, 0) / claimed.length;
    const interval = { low: mean - 0.06, high: mean + 0.06 };
    return {
      weightVersion: `${run}/${skill}`,
      split,
      strata,
      mean,
      interval,
      frontier90: null,
      frontier50: null,
    };
  };
  const words = ({ mean }: Measurement): string => `accuracy ${(100 * mean).toFixed(1)} %`;

  tell({
    type: "run-started",
    run,
    name: "smollm",
    configHash: sha256("config"),
    protocolHash: sha256("protocol"),
    seed: 7,
    rounds: rounds.length,
    task: { name: "arithmetic", version: 1 },
    model: { name: "smollm2-135m", parameters: 134_515_008 },
    method: { name: "rejection-sampling" },
    observe: false,
    unit: "kind",
    base: [1, kinds.length],
    growTo: kinds.length,
    measureTo: kinds.length,
    kinds: [...kinds],
    version: "0.1.0",
  });
  tell({ type: "engine-started", engine: "local", device: "cpu", workers: 1, seconds: 6.1 });
  tell({ type: "model-prepared", round: 0, checkpoint: `${run}/round-0` });
  const base = measured(0, "validation");
  stage(0, "evaluate", 11, words(base), [
    { type: "validation-measured", round: 0, who: "base", measurement: base },
    { type: "samples-shown", round: 0, samples: samples.map(asBase) },
  ]);
  let champion = 0;
  let openings = 0;
  for (const [index, outcome] of rounds.entries()) {
    const round = index + 1;
    const seed = sha256(`decision/${round}`);
    const begun = at;
    tell({
      type: "round-started",
      round,
      plan: "prompts → rejection-sampling",
      startFrom: champion === 0 ? "base" : "champion",
      seedHash: sha256(seed),
    });
    const evidence = {
      rollouts: 768,
      kept: 290,
      rawLabelAccuracy: 0.34,
      keptLabelAccuracy: 1,
      tokensTrained: 9_100,
    };
    const checkpoint = `${run}/round-${round}`;
    stage(round, "optimize", 118, "768 rollouts, 290 kept", [
      { type: "training-finished", round, checkpoint, evidence },
    ]);
    const after = measured(round / rounds.length, "validation");
    stage(round, "evaluate", 11, words(after), [
      { type: "validation-measured", round, who: "candidate", measurement: after },
      { type: "samples-shown", round, samples: [...samples] },
    ]);
    const readings = plausibleReadings({ measurement: after, raw: 0.34, kept: 1, round, random }).filter(
      ({ meter }) => !meter.startsWith("frontier"),
    );
    stage(round, "guard", 0.01, "all is well", [
      { type: "meters-read", round, readings },
      { type: "guards-spoke", round, findings: plausibleFindings(1, false) },
    ]);
    if (outcome !== "unopened") openings += 1;
    const decision = decisionOf(outcome, openings);
    stage(round, "decide", 41, decision.reason, [
      { type: "decision-made", round, decision, seed },
      outcome === "promoted"
        ? { type: "candidate-promoted", round, checkpoint }
        : { type: "candidate-rejected", round, checkpoint },
    ]);
    if (outcome === "promoted") {
      audit(round, "previous-champion", champion, round);
      champion = round;
    }
    tell({ type: "cost-metered", round, cost });
    tell({ type: "round-finished", round, seconds: (at - begun) / 1000 });
  }
  if (champion > 0) audit(rounds.length, "base", 0, champion);
  tell({ type: "cost-metered", round: rounds.length, cost });
  const last = champion === 0 ? `${run}/round-0` : `${run}/round-${champion}`;
  const reason = `${rounds.length} rounds`;
  tell({ type: "run-finished", outcome: "rounds-spent", reason, champion: last, championRound: champion });
  return stored;

  function audit(round: number, comparison: "previous-champion" | "base", from: number, to: number): void {
    const [before, after] = [measured(from / rounds.length, "audit"), measured(to / rounds.length, "audit")];
    const mean = after.mean - before.mean;
    const gain: Gain = { mean, interval: { low: mean - 0.07, high: mean + 0.07 }, pairs: 256 };
    stage(round, "audit", 14, "audited", [
      { type: "audit-measured", round, comparison, before, after, gain },
    ]);
  }
}

/** As the gate says it (`loop/gate.ts`). */
function decisionOf(outcome: "promoted" | "unopened" | "not-shown", opening: number): Decision {
  if (outcome === "unopened")
    return {
      decision: "reject",
      reason: `the gate was not opened: +2.3 points on validation items does not promise enough yet: opening ${opening + 1} of 4 waits for +7.9 points`,
      opening: null,
      acted: true,
    };
  const better = outcome === "promoted";
  const where = `400 reused decision items, opening ${opening} of 4; only the outcome leaves the gate`;
  return {
    decision: better ? "promote" : "reject",
    reason: better ? `better, on ${where}` : `a gain was not shown on ${where}`,
    opening: {
      opening,
      outcome: better ? "better" : "not-shown",
      alpha: (0.05 * 6) / (Math.PI ** 2 * opening ** 2) / 2 ** (opening - 1),
      reused: true,
      openings: 4,
      wealth: null,
      futilityWealth: null,
      blocks: 200,
      pairs: 400,
      voids: 0,
      observed: null,
    },
    acted: true,
  };
}

function asBase({ beforeRight, before, ...sample }: ShownSample): ShownSample {
  return { ...sample, before: null, after: before ?? "", right: beforeRight ?? null };
}

const ask = (question: string): string => `What is ${question}? Answer with just the number.`;

const shownOfArithmetic: readonly ShownSample[] = [
  {
    kind: "product",
    difficulty: 1,
    prompt: ask("7 * 8"),
    answer: "56",
    before: "7 * 8 = 54",
    after: "56",
    beforeRight: false,
    right: true,
  },
  {
    kind: "product",
    difficulty: 1,
    prompt: ask("12 * 12"),
    answer: "144",
    before: "12 * 12 = 144",
    after: "142",
    beforeRight: true,
    right: false,
  },
  {
    kind: "sum",
    difficulty: 2,
    prompt: ask("17 + 25"),
    answer: "42",
    before:
      "To add 17 and 25, we first add the ones:\n\n7 + 5 = 12\n\nThen we carry the 1, and so the sum of the two numbers is:\n\n10 + 20 = 30\n\nThe answer is 30.",
    after: "42",
    beforeRight: false,
    right: true,
  },
  {
    kind: "sum",
    difficulty: 2,
    prompt: ask("88 + 67"),
    answer: "155",
    before: "",
    after: "145",
    beforeRight: false,
    right: false,
  },
  {
    kind: "difference",
    difficulty: 3,
    prompt: ask("41 - 17"),
    answer: "24",
    before: `Subtract: ${"41 minus 17 is 34, and ".repeat(60)}so on`,
    after: "26",
    beforeRight: null,
    right: false,
  },
];
