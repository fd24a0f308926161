import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, onTestFinished, test } from "vitest";
import example from "../examples/reverse/whetstone.config.ts";
import {
  defineRun,
  demonstrations,
  type RunResult,
  rejectionSampling,
  reverse,
  run,
  supervised,
  verifier,
} from "../src/index.ts";
import { closingWords, tellRun } from "../src/surface/report/index.ts";

/** The demo with a planted fault, as `npm run demo -- --fault NAME` plays it on the local engine. */
interface FaultyDemo {
  readonly fault: string;
  /** What is shown without a base that has learnt its strings is shown with one that has not. */
  readonly quick?: boolean;
  readonly outcome: RunResult["outcome"];
  /** Decisions, round by round, as far as the fault is about them. */
  readonly decisions: readonly string[];
  readonly words: readonly RegExp[];
}

const demos: readonly FaultyDemo[] = [
  {
    fault: "hackable-verifier",
    outcome: "stopped-by-guard",
    decisions: ["reject"],
    words: [
      /^wrong {5}The reward takes too many wrong answers for right/m,
      /^found by {2}the guard “verifier integrity”, in round 1; also by “label accuracy”$/m,
      /^done {6}Nothing was learnt from it\. The run was stopped in round 1, .* The champion is the base\.$/m,
      /^to do {5}Make the verifier stricter/m,
    ],
  },
  {
    fault: "stale-sampler",
    quick: true,
    outcome: "stopped-by-guard",
    decisions: ["reject", "reject"],
    words: [
      /^wrong {5}The sampler is stale/m,
      /^found by {2}the guard “sampler freshness”, in round 2; also by “logprob mismatch”$/m,
      /^done {6}Nothing was learnt from it\. The run was stopped in round 2/m,
      /^to do {5}Test the engine with `whetstone engine check`/m,
    ],
  },
  {
    fault: "leaked-decision-items",
    quick: true,
    outcome: "stopped-by-guard",
    decisions: ["reject"],
    words: [
      /^wrong {5}Items that are kept for validation, decisions or audits were among those to learn from\.$/m,
      /^found by {2}the guard “item identity”, in round 1$/m,
      /^done {6}Nothing was learnt from it\. The run was stopped in round 1, .* The champion is the base\.$/m,
      /^to do {5}Take out the source that brought them/m,
    ],
  },
  {
    fault: "majority-lock-in",
    outcome: "rounds-spent",
    decisions: ["roll-back"],
    words: [
      /^wrong {5}The model rewards itself for what it says most often, and became surer of wrong answers\.$/m,
      /^found by {2}the guard “majority lock-in”, in round/m,
      /^done {6}.*(was|were) taken back: .* Since then the run learns from \d times as much real data\./m,
      /^to do {5}Reward by something that the model does not say of itself/m,
    ],
  },
  {
    fault: "self-consuming-loop",
    outcome: "rounds-spent",
    decisions: ["promote", "roll-back"],
    words: [
      /^wrong {5}Single answers got better while the model forgot most of what else it could say/m,
      /^found by {2}the guard “diversity collapse”, in round/m,
      /^done {6}.*(was|were) taken back: .* Since then the run learns from \d times as much real data\./m,
      /^to do {5}Nothing, where later rounds were promoted\./m,
    ],
  },
];

const quickly = defineRun({
  task: reverse(),
  prepare: supervised({ on: demonstrations(), steps: 30, learningRate: 3e-3 }),
  // Two models that know next to nothing would agree on what is wrong, and another guard would speak first.
  optimize: rejectionSampling({ reward: verifier(), update: supervised({ steps: 5 }) }),
  evaluate: { perStratum: 32, auditPerStratum: 16, finalAuditPerStratum: 16 },
});

// Seconds each where the machine has nothing else to do.
const timeout = 600_000;

describe.each(demos)("the demo with $fault", ({ fault, quick = false, outcome, decisions, words }) => {
  test("ends with the right decision and the right words", { timeout }, async () => {
    const folder = await mkdtemp(join(tmpdir(), "whetstone-demo-fault-"));
    onTestFinished(() => rm(folder, { recursive: true, force: true }));
    const definition = example.define({ fault });
    const { prepare, optimize, evaluate } = quickly;
    const played = await run(quick ? { ...definition, prepare, optimize, evaluate } : definition, { folder });
    expect(played.outcome).toBe(outcome);
    const decided = played.events.flatMap(({ event }) =>
      event.type === "decision-made" ? [event.decision.decision] : [],
    );
    expect(decided.slice(0, decisions.length)).toEqual(decisions);
    const said = closingWords(tellRun(played.events), { report: "report.html" });
    const last = said.slice(1 + said.findIndex((line) => line.startsWith("report"))).join("\n");
    for (const word of words) expect(last).toMatch(word);
  });
});
