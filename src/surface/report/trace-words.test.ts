import { expect, test } from "vitest";
import type { Trace, TracedWeights } from "../../loop/run.ts";
import { toAscii } from "./terminal/glyphs.ts";
import { traceWords } from "./trace-words.ts";

const verifier = { name: "exact answer", version: 1, hash: "ab".repeat(32) };
const items = { kind: "generator", name: "reverse@1" } as const;
const demonstrations = {
  kind: "demonstrations",
  items,
  real: true,
  writer: null,
  kept: null,
  rollouts: null,
} as const;
const answers = {
  kind: "answers",
  items,
  real: false,
  writer: { checkpoint: "1-run/round-0-peer-5", role: "peer" },
  kept: { method: "rejection", reward: "agreement", verifier, run: "1-run", round: 1, role: "solver" },
  rollouts: "c".repeat(64),
} as const;
const sample = { id: "0123456789abcdef0123456789abcdef", prompt: "12=", answer: "21" };

const common = { task: { name: "reverse", version: 1 }, verifier };
const root = (role: string): TracedWeights => ({
  checkpoint: `1-run/round-0-${role}-0`,
  run: "1-run",
  round: 0,
  role,
  from: null,
  training: null,
  model: { name: "tiny" },
});
const prepared = (role: string): TracedWeights => ({
  ...root(role),
  checkpoint: `1-run/round-0-${role}-5`,
  from: `1-run/round-0-${role}-0`,
  model: null,
  training: {
    ...common,
    stage: "prepare",
    part: "prepare",
    steps: [0, 5],
    method: "supervised",
    reward: null,
    tokens: 300,
    realTokens: 300,
    sources: [{ ...demonstrations, examples: 90, times: 100, tokens: 300, samples: [sample] }],
  },
});
const trained: TracedWeights = {
  checkpoint: "1-run/round-1-solver-pass-0-6",
  run: "1-run",
  round: 1,
  role: "solver",
  from: "1-run/round-0-solver-5",
  model: null,
  training: {
    ...common,
    stage: "optimize",
    part: "pass-0",
    steps: [0, 6],
    method: "rejection",
    reward: "agreement",
    tokens: 1500,
    realTokens: 300,
    sources: [
      { ...demonstrations, examples: 1, times: 100, tokens: 300, samples: [] },
      { ...answers, examples: 40, times: 400, tokens: 1200, samples: [sample] },
    ],
  },
};
const behind = {
  weights: [trained, prepared("solver"), root("solver"), prepared("peer"), root("peer")],
  rounds: [{ run: "1-run", round: 1, tokens: 1500, realTokens: 300, realShare: 0.2 }],
  unreadable: [],
};

test("a checkpoint is a tree down to its roots, with those that wrote its answers beside it", () => {
  const trace: Trace = {
    kind: "checkpoint",
    checkpoint: trained.checkpoint,
    tokens: 1800,
    realTokens: 600,
    realShare: 1 / 3,
    ...behind,
  };
  expect(traceWords(trace)).toEqual([
    "1-run/round-1-solver-pass-0-6: trained on 1,800 tokens, 33.3 % of them written by no model",
    "",
    "round 1 of 1-run, solver · rejection, agreement · 6 steps · 1,500 tokens, 20.0 % of them written by no model · 1-run/round-1-solver-pass-0-6",
    "├─ 300 tokens · 1 demonstration · the task’s generator reverse@1",
    "├─ 1.2 k tokens · 40 answers by 1-run/round-0-peer-5, to prompts of the task’s generator reverse@1 · written by a model",
    "│    rejection, chosen by agreement; verifier exact answer@1 (abababababab)",
    '│    0123456789ab  "12=" → "21"',
    "│",
    "round 0 of 1-run, solver · preparation · 5 steps · 300 tokens, 100.0 % of them written by no model · 1-run/round-0-solver-5",
    "├─ 300 tokens · 90 demonstrations · the task’s generator reverse@1",
    '│    0123456789ab  "12=" → "21"',
    "│",
    "root · tiny, as solver began in 1-run · 1-run/round-0-solver-0",
    "",
    "Other weights that wrote answers:",
    "round 0 of 1-run, peer · preparation · 5 steps · 300 tokens, 100.0 % of them written by no model · 1-run/round-0-peer-5",
    "├─ 300 tokens · 90 demonstrations · the task’s generator reverse@1",
    '│    0123456789ab  "12=" → "21"',
    "│",
    "root · tiny, as peer began in 1-run · 1-run/round-0-peer-0",
    "",
    "Real share by round: trained tokens that no model wrote, of all roles",
    "  1-run round 1  20.0 % of 1,500 tokens",
  ]);
  expect(toAscii(traceWords(trace).join("\n"))).not.toContain("?");
});

test("an example says who wrote it, what kept it, where it lies and where it went", () => {
  const trace: Trace = {
    kind: "example",
    ...sample,
    item: "12",
    tokens: 3,
    origins: [
      {
        ...answers,
        source: "generator:reverse@1",
        line: null,
        document: { sha256: "cd".repeat(32), from: 0, to: 40, file: "facts.jsonl", line: 3 },
        sample: 2,
        stepsAfter: 4,
        place: { group: 6, rollout: 1 },
        trainedInto: [
          { checkpoint: trained.checkpoint, run: "1-run", round: 1, role: "solver", times: 2, tokens: 6 },
        ],
      },
      {
        ...demonstrations,
        items: { kind: "file", name: "rows.jsonl" },
        source: "rows.jsonl:8",
        line: 8,
        document: null,
        sample: null,
        stepsAfter: null,
        place: null,
        trainedInto: [
          { checkpoint: trained.checkpoint, run: "1-run", round: 1, role: "solver", times: 1, tokens: 3 },
        ],
      },
    ],
    ...behind,
    weights: [],
    rounds: [],
    unreadable: ["a record is missing"],
  };
  expect(traceWords(trace)).toEqual([
    "0123456789abcdef0123456789abcdef: an example of 3 trained tokens",
    '  "12=" → "21"',
    "",
    "answer written by 1-run/round-0-peer-5, 4 steps on (peer, sample 2)",
    "├─ prompt: the task’s generator reverse@1",
    `├─ document: characters 0 to 40 of facts.jsonl, line 3, SHA-256 ${"cd".repeat(32)}`,
    "├─ rejection, chosen by agreement; verifier exact answer@1 (abababababab)",
    `├─ rollout 1 of line 7 in artifacts/${answers.rollouts}.jsonl`,
    "└─ learnt from 2 times in round 1 by solver: 1-run/round-1-solver-pass-0-6",
    "",
    "written by no model: rows.jsonl, line 8",
    "└─ learnt from once in round 1 by solver: 1-run/round-1-solver-pass-0-6",
    "",
    "",
    "1 record cannot be read, so that what they say is missing:",
    "  a record is missing",
  ]);
});

test("a text that many have is a list to choose from; long texts are cut and stay in their line", () => {
  const trace: Trace = {
    kind: "matches",
    of: "21",
    total: 30,
    matches: [{ ...sample, prompt: `a\nlong ${"word ".repeat(20)}`, as: "answer", real: false }],
    unreadable: [],
  };
  const [first, match = ""] = traceWords(trace);
  expect(first).toBe('"21" fits 30 examples, of which these are the first 1. Trace one by its id:');
  expect(match).toMatch(
    /^ {2}0123456789ab {2}"a long word .*…" → "21" {2}\(its answer; written by a model\)$/,
  );
});
