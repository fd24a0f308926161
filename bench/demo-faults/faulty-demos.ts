import type { RunResult } from "whetstone";

/** The demo with a planted fault, as `npm run demo -- --fault NAME` plays it on the local engine. */
export interface FaultyDemo {
  readonly fault: string;
  /** What is shown without a base that has learnt its strings is shown with one that has not: the tests do so. */
  readonly quick?: boolean;
  /** Half a minute each: `npm run bench:demo-faults` plays them, and the tests do not. */
  readonly slow?: boolean;
  /** Enough to show it; 3, as the demo's, if left out. */
  readonly rounds?: number;
  readonly outcome: RunResult["outcome"];
  /** Decisions, round by round, as far as the fault is about them; null where it leaves open what is right. */
  readonly decisions: readonly (string | null)[];
  /** Rounds within which one is to be taken back, where seeds and machines differ in which. */
  readonly takenBackWithin?: number;
  /** Beside who is the champion then, which all of them say. */
  readonly words: readonly RegExp[];
}

export const faultyDemos: readonly FaultyDemo[] = [
  {
    fault: "hackable-verifier",
    outcome: "stopped-by-guard",
    decisions: ["reject"],
    words: [
      /^wrong {5}The reward takes too many wrong answers for right/m,
      /^found by {2}the guard “verifier integrity”, in round 1; also by “label accuracy”$/m,
      /^done {6}Nothing was learnt from it\. The run was stopped in round 1, /m,
      /^to do {5}Make the verifier stricter/m,
    ],
  },
  {
    fault: "stale-sampler",
    quick: true,
    outcome: "stopped-by-guard",
    // Round 1 is honest, its sampler being the first: the gate promotes it if the base had learnt enough to teach itself.
    decisions: [null, "reject"],
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
      /^wrong {5}Items that are kept for validation, decisions or audits were among what is learnt from\.$/m,
      /^found by {2}the guard “item identity”, in round 1$/m,
      /^done {6}Nothing was learnt from it\. The run was stopped in round 1, /m,
      /^to do {5}Take out the source or the documents that brought them/m,
    ],
  },
  {
    fault: "majority-lock-in",
    slow: true,
    rounds: 2,
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
    slow: true,
    outcome: "rounds-spent",
    decisions: [],
    takenBackWithin: 3,
    words: [
      /^wrong {5}Single answers got better while the model forgot most of what else it could say/m,
      /^found by {2}the guard “diversity collapse”, in round/m,
      /^done {6}.*(was|were) taken back: .* Since then the run learns from \d times as much real data\./m,
      /^to do {5}Nothing, where later rounds were promoted\./m,
    ],
  },
];
