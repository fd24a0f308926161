import { randomStream, sha256 } from "../../../foundation/base/index.ts";
import type {
  Cost,
  Gain,
  Measurement,
  RunEvent,
  StageName,
  StoredEvent,
} from "../../../foundation/contract/index.ts";
import { evaluation, measured, spend, zeroCost } from "./plausible-measures.ts";
import {
  plausibleDecision,
  plausibleFindings,
  plausibleLoss,
  plausibleReadings,
  plausibleSamples,
} from "./plausible-parts.ts";

export interface PlausibleRunOptions {
  readonly rounds?: number;
  readonly seed?: number;
  readonly name?: string;
  /** Decisions are recorded only, and labels go bad: the error avalanche. */
  readonly observe?: boolean;
  /** Rounds whose candidate is rejected. */
  readonly rejected?: readonly number[];
  /** Rounds in which the label guard warns. */
  readonly warned?: readonly number[];
  readonly growTo?: number;
  readonly measureTo?: number;
  /** The run is interrupted in this round and goes on, once. */
  readonly interruptedIn?: number;
}

const baseLengths = [1, 8] as const;

/**
 * The events of a made-up run that teaches itself longer strings, as a ledger would hold them: for tests, screenshots and
 * trying out views without an engine. The same options give the same events.
 *
 * @example
 * const story = tellRun(plausibleRun({ rounds: 8, rejected: [3, 6] }));
 */
export function plausibleRun(options: PlausibleRunOptions = {}): StoredEvent[] {
  const { rounds = 8, seed = 0, name = "reverse", observe = false, interruptedIn } = options;
  const { rejected = [3, 6], warned = [], growTo = 16, measureTo = 18 } = options;
  const random = randomStream(seed, "plausible-run");
  const run = `1-${name}`;
  const stored: StoredEvent[] = [];
  let at = Date.UTC(2025, 10, 3, 9, 30);
  let cost: Cost = zeroCost;
  const tell = (event: RunEvent, seconds = 0): void => {
    at += seconds * 1000;
    stored.push({ id: stored.length + 1, run, at, event });
  };
  const stage = (
    round: number,
    stage: StageName,
    label: string,
    seconds: number,
    summary: string,
    events: RunEvent[] = [],
  ): void => {
    if (stage !== "optimize" || round !== interruptedIn) tell({ type: "stage-started", round, stage, label });
    cost = spend(cost, stage, seconds, random);
    at += seconds * 1000;
    for (const event of events) tell(event);
    tell({ type: "stage-finished", round, stage, seconds, summary });
  };

  tell({
    type: "run-started",
    run,
    name,
    configHash: sha256(`config/${seed}/${name}`),
    protocolHash: sha256(`protocol/${name}`),
    seed,
    rounds,
    task: { name: "reverse", version: 1, alphabet: "0123456789" },
    model: { name: "tiny", layers: 3, width: 64, heads: 2, positions: "none", parameters: 148_160 },
    method: {
      name: "rejection-sampling",
      generate: "greedy",
      reward: observe ? "everything" : "agreement of 2 peers",
    },
    observe,
    unit: "length",
    base: [...baseLengths],
    growTo,
    measureTo,
    version: "0.1.0",
  });
  tell({ type: "engine-started", engine: "local", device: "cpu", workers: 2, seconds: 3.4 }, 3.4);

  let reach = 9.4;
  let champion = 0;
  let championReach = reach;
  const base = measured(`${run}/round-0`, reach, measureTo, "validation", random);
  stage(
    0,
    "prepare",
    "1500 steps on demonstrations",
    47.3,
    "2 models, trained apart: 1500 steps on demonstrations",
  );
  tell({
    type: "model-prepared",
    round: 0,
    checkpoint: `${run}/round-0-lead-1500`,
    loss: plausibleLoss(1500, 2.3),
  });
  stage(0, "evaluate", "validation items", 1.6, evaluation(base), [
    { type: "validation-measured", round: 0, who: "base", measurement: base },
    { type: "samples-shown", round: 0, samples: plausibleSamples(10, null, 0.4, random) },
  ]);
  tell({ type: "cost-metered", round: 0, cost });

  for (let round = 1; round <= rounds; round++) {
    const begun = at;
    const turned = rejected.includes(round);
    const before = reach;
    reach = observe
      ? reach + Math.max(-1.2, 0.9 - 0.32 * round)
      : Math.min(measureTo + 1.5, reach + (turned ? 0.12 : 1.25));
    const after = measured(`${run}/round-${round}`, reach, measureTo, "validation", random);
    const raw = observe ? Math.max(0.03, 0.99 - 0.015 * round ** 2) : 0.9 + 0.1 * random.uniform();
    const kept = observe ? raw : round === warned[0] ? 0.962 : 0.997 + 0.003 * random.uniform();
    const decisionSeed = sha256(`decision/${seed}/${round}`);
    const from = champion === 0 ? "base" : "champion";
    tell({
      type: "round-started",
      round,
      plan: "demonstrations + procedural → deduplicate → rejection-sampling → greedy",
      startFrom: rejected.includes(round - 1) ? "candidate" : from,
      seedHash: sha256(decisionSeed),
    });
    stage(
      round,
      "acquire",
      "demonstrations, procedural",
      0.12,
      `2048 items of length ${8 + round}, 4096 demonstrations`,
    );
    stage(round, "select", "deduplicate", 0.05, "2031 of 2048 items; 17 dropped: seen before");
    if (round === interruptedIn) {
      tell({ type: "stage-started", round, stage: "optimize", label: "rejection-sampling" });
      cost = spend(cost, "optimize", 4, random);
      tell({ type: "cost-metered", round: round - 1, cost }, 4);
      const reason = "The run was asked to end. Run the same command to go on.";
      tell({ type: "run-interrupted", round: round - 1, reason });
      tell({ type: "run-resumed", run, round: round - 1, rounds, processId: 4242 }, 900);
      tell({ type: "engine-started", engine: "local", device: "cpu", workers: 2, seconds: 2.9 }, 2.9);
    }
    const evidence = {
      rollouts: 4062,
      kept: Math.round(4062 * (observe ? 1 : raw * 0.97)),
      rawLabelAccuracy: raw,
      keptLabelAccuracy: kept,
      tokensTrained: 182_400 + round * 9_100,
      realShare: 0.62 - 0.03 * round,
    };
    stage(
      round,
      "optimize",
      "rejection-sampling",
      5.2 + 0.3 * round,
      `4062 rollouts, ${evidence.kept} kept, ${evidence.tokensTrained} tokens trained`,
      [
        {
          type: "training-finished",
          round,
          checkpoint: `${run}/round-${round}-lead-final`,
          evidence,
          loss: plausibleLoss(100, 0.9 / round),
        },
      ],
    );
    stage(round, "evaluate", "validation items", 1.7, evaluation(after), [
      { type: "validation-measured", round, who: "candidate", measurement: after, gain: naiveGain(round) },
      { type: "samples-shown", round, samples: plausibleSamples(8 + round, before, reach, random) },
    ]);
    const findings = plausibleFindings(kept, warned.includes(round));
    const loud = findings.filter(({ answer }) => answer !== "ok");
    stage(
      round,
      "guard",
      "logprob mismatch, sampler freshness, label accuracy",
      0.01,
      loud.map(({ guard, answer }) => `${guard}: ${answer}`).join(", ") || "all is well",
      [
        {
          type: "meters-read",
          round,
          readings: plausibleReadings({ measurement: after, raw, kept, round, random }),
        },
        { type: "guards-spoke", round, findings },
      ],
    );
    const decision = plausibleDecision({
      round,
      difference: (reach - championReach) / measureTo,
      observe,
      random,
    });
    const promoted = decision.acted && decision.decision === "promote";
    const checkpoint = `${run}/round-${round}-lead-final`;
    stage(round, "decide", "candidate against champion", 1.9, decision.reason, [
      { type: "decision-made", round, decision, seed: decisionSeed },
      ...(promoted ? [{ type: "candidate-promoted" as const, round, checkpoint }] : []),
      ...(decision.acted && !promoted ? [{ type: "candidate-rejected" as const, round, checkpoint }] : []),
    ]);
    if (promoted) {
      audit(round, "previous-champion", championReach, reach, 270);
      champion = round;
      championReach = reach;
    }
    tell({ type: "cost-metered", round, cost });
    tell({ type: "round-finished", round, seconds: (at - begun) / 1000 });
  }
  if (champion > 0) audit(rounds, "base", 9.4, championReach, 2_304);
  tell({ type: "cost-metered", round: rounds, cost });
  tell({
    type: "run-finished",
    outcome: "rounds-spent",
    reason: `${rounds} rounds`,
    champion: champion === 0 ? `${run}/round-0-lead-1500` : `${run}/round-${champion}-lead-final`,
    championRound: champion,
  });
  return stored;

  /** What the validation items say, by which the run steers: a little more than the truth, most of the time. */
  function naiveGain(round: number): Gain {
    const luck = 0.03 * (random.fork(`naive/${round}`).uniform() - 0.25);
    const mean = (reach - championReach) / measureTo + luck;
    const half = 1.96 * Math.sqrt(0.2 / 1_920);
    return { mean, interval: { low: mean - half, high: mean + half }, pairs: 1_920 };
  }

  function audit(
    round: number,
    comparison: "previous-champion" | "base",
    from: number,
    to: number,
    pairs: number,
  ): void {
    const [before, after] = [from, to].map((ability) =>
      measured(`${run}/${ability}`, ability, measureTo, "audit", random),
    );
    const mean = (after as Measurement).mean - (before as Measurement).mean;
    const half = 1.96 * Math.sqrt(0.2 / pairs);
    const gain: Gain = { mean, interval: { low: mean - half, high: mean + half }, pairs };
    const label = comparison === "base" ? "champion against base" : "new champion against old";
    stage(round, "audit", label, comparison === "base" ? 3.1 : 0.7, `+${(100 * mean).toFixed(1)} points`, [
      {
        type: "audit-measured",
        round,
        comparison,
        before: before as Measurement,
        after: after as Measurement,
        gain,
      },
    ]);
  }
}
