import { expect, test } from "vitest";
import { stageParts } from "./stage-parts.ts";

test.each([
  ["prepare", 0, ["solver/0", "solver/250", "peer/0", "solver/500"], ["solver: 500 steps"]],
  ["prepare", 0, ["solver/0"], []],
  ["optimize", 2, ["pass-0/rollouts"], ["rollouts stored"]],
  [
    "optimize",
    2,
    ["pass-0/rollouts/solver/512", "pass-0/rollouts/peer/512", "pass-0/rollouts/solver/1024"],
    ["peer: rollouts to item 512", "solver: rollouts to item 1024"],
  ],
  [
    "optimize",
    2,
    ["pass-0/rollouts", "pass-0/update/solver/500", "pass-0/update/peer/500", "pass-0/update/solver/1000"],
    ["rollouts stored", "peer: 500 steps", "solver: 1000 steps"],
  ],
  ["optimize", 1, ["pass-0/repetitions/20", "pass-0/repetitions/40"], ["40 repetitions"]],
  ["decide", 1, ["blocks-0", "blocks-24"], ["more than 24 blocks of decision items"]],
] as const)(
  "finished steps of %s are told in words, the newest of each sort",
  (stage, round, steps, words) => {
    const names = steps.map((step) => `round-${round}/${stage}/${step}`);
    expect(stageParts({ round, stage, begun: 1 }, names)).toEqual(words);
  },
);
