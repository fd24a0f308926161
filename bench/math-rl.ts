/**
 * Somebody else's training program, unmodified, on our server: tinker-cookbook's `recipes/math_rl` in its arithmetic
 * environment (additions of numbers to 100, one worked example in the prompt) with SmolLM2-135M behind
 * `whetstone engine serve`. Prints the reward of each step, of samples drawn before its update; `--steps N`, `--groups N`
 * (problems a step), `--json`. What it took of its own accord is recorded. The model must have been pulled:
 * `whetstone model pull smollm2-135m`.
 */
import { mkdir, mkdtemp, readFile, rm, symlink } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { pulledModel, runRecipe } from "./math-rl/environment.ts";
import { servedModel } from "./math-rl/served-model.ts";
import { record, renderTable } from "./record.ts";

const settled = { steps: "10", groups: "32" };
const { values } = parseArgs({
  options: {
    json: { type: "boolean", default: false },
    steps: { type: "string", default: settled.steps },
    groups: { type: "string", default: settled.groups },
  },
});
const steps = Number(values.steps);
if (!Number.isInteger(steps) || steps < 2) throw new Error("--steps takes a whole number from 2 up");
const model = pulledModel();

const folder = await mkdtemp(join(tmpdir(), "whetstone-math-rl-"));
try {
  // The recipe asks for its tokenizer by the model's name, and finds it as a folder where it runs.
  await mkdir(join(folder, "org"));
  await symlink(model, join(folder, "org", "model"));
  const log = join(folder, "log");
  await using server = await servedModel("org/model", model, folder);
  const settings = {
    env: "arithmetic",
    model_name: "org/model",
    renderer_name: "role_colon",
    base_url: server.url,
    lora_rank: 32,
    learning_rate: 1e-4,
    // As many as an answer and the end of a turn take with this tokenizer, in which each digit is one.
    max_tokens: 8,
    group_size: 8,
    groups_per_batch: values.groups,
    loss_fn: "importance_sampling",
    max_steps: steps,
    eval_every: 0,
    save_every: 0,
    log_path: log,
    behavior_if_log_dir_exists: "delete",
  };
  await runRecipe({ folder, key: server.key, settings });
  const text = await readFile(join(log, "metrics.jsonl"), "utf8");
  const rewards = text
    .split("\n")
    .filter((line) => line !== "")
    .map((line) => JSON.parse(line) as Record<string, number>)
    .flatMap((metrics) => metrics["env/all/reward/total"] ?? []);
  report(rewards);
} finally {
  await rm(folder, { recursive: true, force: true });
}

/** The mean over the first and the last fifth of the steps says what was learned; the bar is that it rises. */
function report(rewards: readonly number[]): void {
  const few = Math.max(1, Math.floor(rewards.length / 5));
  const mean = (some: readonly number[]): number => some.reduce((sum, one) => sum + one, 0) / some.length;
  const [before, after] = [mean(rewards.slice(0, few)), mean(rewards.slice(-few))];
  if (rewards.length !== steps) throw new Error(`the recipe took ${rewards.length} steps of ${steps}`);
  const rises = after > before;
  const table = {
    title: "A training program of tinker-cookbook, unmodified, on our server",
    columns: ["step", "mean reward of its 256 samples, drawn before its update"],
    rows: rewards.map((reward, index) => [index + 1, reward.toFixed(3)]),
    verdict: `${rises ? "Holds" : "Does not hold"}: the reward ${rises ? "rises" : "does not rise"}, from ${before.toFixed(3)} in the first two steps to ${after.toFixed(3)} in the last two (recipes/math_rl, arithmetic; SmolLM2-135M, LoRA of rank 32).`,
  };
  if (values.json) console.log(JSON.stringify({ before, after, rewards }));
  else console.log(`${renderTable(table)}\n\n${table.verdict}`);
  const asCommitted = values.steps === settled.steps && values.groups === settled.groups;
  if (asCommitted) record("math-rl", "npm run --silent bench:math-rl", table);
  process.exitCode = rises ? 0 : 1;
}
