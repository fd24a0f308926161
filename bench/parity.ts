/**
 * Reinforcement after next-token prediction on parity, measured round by round: STaR or GRPO from the same pretrained model
 * (after arXiv 2510.11495). One JSON object a seed, or five seeds and a verdict.
 */
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { type Audit, auditRun, run, sampledDecoding } from "whetstone";
import example from "../examples/parity/whetstone.config.ts";
import { runSeeds } from "./run-seeds.ts";

const { values } = parseArgs({
  options: {
    method: { type: "string", default: "star" },
    seed: { type: "string" },
    json: { type: "boolean", default: false },
  },
});
const bits = 16;
const samples = 2048;

interface RoundResult {
  readonly greedy_accuracy: number;
  readonly sampled_accuracy: number;
  readonly long_share: number;
  readonly mean_length: number;
}

interface ParityResult {
  readonly seed: number;
  readonly rounds: readonly RoundResult[];
}

await runSeeds({
  script: import.meta.filename,
  seed: values.seed,
  seeds: 5,
  json: values.json,
  flags: ["--method", values.method],
  measure: measureParity,
  tableOf,
  verdictOf,
  record: {
    name: `parity-${values.method}`,
    command: `npm run --silent bench:parity -- --method ${values.method}`,
    title: `Parity after next-token prediction: ${values.method}`,
  },
});

async function measureParity(seed: number): Promise<ParityResult> {
  const definition = example.define({ method: values.method, seed: String(seed) });
  const folder = await mkdtemp(join(tmpdir(), "whetstone-bench-"));
  try {
    await run(definition, { folder });
    const of = Array.from({ length: definition.budget.rounds + 1 }, (_, round) => round);
    const greedy = await auditRun(definition, { folder, of, perStratum: samples });
    const sampled = await auditRun(definition, {
      folder,
      of,
      perStratum: samples,
      harness: sampledDecoding(),
    });
    const rounds = of.map((round) => {
      const drawn = sampled[round] as Audit;
      const lengths = drawn.answers.map(({ rollouts }) => rollouts[0]?.segments.at(-1)?.tokens.length ?? 0);
      const long = drawn.answers.filter(
        ({ item, response }) => response.text === runningParities(item.prompt),
      );
      return {
        greedy_accuracy: rounded(greedy[round]?.measurement.mean ?? 0),
        sampled_accuracy: rounded(drawn.measurement.mean),
        long_share: rounded(long.length / drawn.answers.length),
        mean_length: rounded(lengths.reduce((sum, length) => sum + length, 0) / lengths.length),
      };
    });
    return { seed, rounds };
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

function runningParities(prompt: string): string {
  let parity = 0;
  return [...prompt].map((bit) => (parity ^= Number(bit))).join("");
}

function rounded(value: number): number {
  return Number(value.toFixed(4));
}

function tableOf(rows: readonly ParityResult[]) {
  return {
    columns: ["seed", "round", "greedy", "sampled", "all steps written", "tokens"],
    rows: rows.flatMap(({ seed, rounds }) =>
      rounds.map((one, round) => [
        seed,
        round,
        one.greedy_accuracy.toFixed(3),
        one.sampled_accuracy.toFixed(3),
        one.long_share.toFixed(3),
        one.mean_length.toFixed(1),
      ]),
    ),
  };
}

/**
 * STaR reaches .98 by round 4 on every seed. GRPO by its 20th step on four seeds of five, and on every seed by its 40th, with
 * answers growing from 3 to 6.5 and then 11 tokens: of the reference's own steps 8 seeds of 13 are there at the 20th
 * (docs/decisions/011-balanced-answers.md).
 */
function verdictOf(done: readonly ParityResult[]): { readonly passed: boolean; readonly text: string } {
  const late: number[] = [];
  const failed = done.filter(({ seed, rounds }) => {
    const [first, , second, , fourth] = rounds;
    if (first === undefined || second === undefined || fourth === undefined) return true;
    if (first.greedy_accuracy > 0.6 || first.sampled_accuracy < 0.53) return true;
    if (fourth.greedy_accuracy < 0.98) return true;
    if (values.method === "star") return false;
    if (second.greedy_accuracy < 0.98) late.push(seed);
    return second.mean_length < 6.5 || fourth.mean_length < 11;
  });
  const passed = failed.length === 0 && late.length <= done.length / 5;
  const missed = [...new Set([...failed.map(({ seed }) => seed), ...(passed ? [] : late)])];
  const reached = done.length - late.length;
  const words =
    values.method === "star" ? "" : ` ${reached} of ${done.length} are right greedily at the 20th step.`;
  return {
    passed,
    text: passed
      ? `Every bar holds on ${done.length} seeds of ${bits} bits.${words}`
      : `Does not hold for seeds ${missed.join(", ")}.${words}`,
  };
}
