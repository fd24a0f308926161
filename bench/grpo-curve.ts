/**
 * `npm run bench:grpo-curve`: GRPO on SmolLM2-135M against TRL's GRPOTrainer on the same prompts, with the same number of samples and
 * steps, at the same learning rate, all weights in fp32: is it the same curve of rewards within its noise, in half the time? Three
 * seeds that nobody chose; `--seed N` one. Writes docs/methods/grpo-curve.svg. The model must have been pulled.
 */
import { execFileSync } from "node:child_process";
import { mkdirSync, writeFileSync } from "node:fs";
import { mkdtemp, rm } from "node:fs/promises";
import { availableParallelism, tmpdir } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { fairEnvironment, peerEnvironment } from "./engine/environment.ts";
import { median } from "./engine/row.ts";
import { type Curve, type OurCurve, ourCurve, settings, task } from "./grpo-curve/ours.ts";
import { pulledModel } from "./math-rl/environment.ts";
import { record, renderTable } from "./record.ts";
import { seedsOfCommit } from "./seeds.ts";
import { drawPicture, type Series } from "./theory/picture.ts";

const { values } = parseArgs({
  options: { seed: { type: "string" }, json: { type: "boolean", default: false } },
});
const model = pulledModel();
const { python, versions } = await peerEnvironment();
const seeds = values.seed === undefined ? seedsOfCommit(3) : [Number(values.seed)];
const pairs: { readonly ours: Curve; readonly trl: Curve }[] = [];
for (const seed of seeds) {
  const folder = await mkdtemp(join(tmpdir(), "whetstone-grpo-curve-"));
  try {
    const ours = await ourCurve(seed, folder);
    const trl = await trlCurve(seed, ours, folder);
    pairs.push({ ours, trl });
    for (const [name, { rewards, seconds }] of Object.entries({ ours, trl }))
      console.error(
        `${name}, seed ${seed}, ${seconds.toFixed(0)} s: ${rewards.map((one) => one.toFixed(2)).join(" ")}`,
      );
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

interface TrlStep {
  readonly rewards: readonly number[];
  readonly completions: readonly string[];
  readonly ended: readonly boolean[];
}

async function trlCurve(seed: number, { prompts, answers }: OurCurve, folder: string): Promise<Curve> {
  const path = join(folder, "trl.json");
  const threads = availableParallelism();
  writeFileSync(
    path,
    JSON.stringify({ ...settings, model, threads, seed: seed % 2 ** 31, prompts, answers }),
  );
  const output = execFileSync(python, [join(import.meta.dirname, "grpo-curve/peer.py"), path], {
    encoding: "utf8",
    env: fairEnvironment(threads),
    maxBuffer: 2 ** 28,
    stdio: ["ignore", "pipe", "pipe"],
  });
  const { steps, seconds } = JSON.parse(output.trim().split("\n").at(-1) ?? "") as {
    readonly steps: readonly TrlStep[];
    readonly seconds: readonly number[];
  };
  await checkRewards(steps, answers);
  return {
    rewards: steps.map(({ rewards }) => mean(rewards)),
    seconds: seconds.reduce((sum, one) => sum + one, 0),
  };
}

/** Both sides must reward alike: what the other rewarded is judged again by the task's own verifier. */
async function checkRewards(steps: readonly TrlStep[], answers: readonly string[]): Promise<void> {
  let differing = 0;
  let all = 0;
  for (const [step, { rewards, completions, ended }] of steps.entries())
    for (const [index, text] of completions.entries()) {
      const answer = answers[step * settings.items + Math.floor(index / settings.samples)] ?? "";
      const verdict = await numberOf(text, answer, ended[index] === true);
      differing += verdict === rewards[index] ? 0 : 1;
      all += 1;
    }
  if (differing > all / 100)
    throw new Error(`${differing} of ${all} completions were rewarded otherwise than by us`);
}

async function numberOf(text: string, answer: string, complete: boolean): Promise<number> {
  // Any sum with that result will do: the verifier works the prompt out.
  const prompt = `What is 0 + ${answer}? Answer with just the number.`;
  const verdict = await task.verifier.verify({ prompt, answer } as never, { text, complete });
  return verdict.outcome === "scored" ? verdict.score : 0;
}

function mean(numbers: readonly number[]): number {
  return numbers.reduce((sum, one) => sum + one, 0) / numbers.length;
}

/** As of a GRPO step on the engine (`bench:engine`), here over all steps. */
const leastRatio = 2;

/** The last third, where what was learnt shows, and the first steps, where nothing is yet. */
const late = settings.steps - Math.floor(settings.steps / 3);
const lateOf = ({ rewards }: Curve): number => mean(rewards.slice(late));
const earlyOf = ({ rewards }: Curve): number => mean(rewards.slice(0, 3));
const differences = pairs.map(({ ours, trl }) => lateOf(ours) - lateOf(trl));
const difference = mean(differences);
/** Of one late mean: what its batches scatter about their line; twice that, over seeds and both sides, is noise. */
const scatter = pairs.flatMap(({ ours, trl }) =>
  [ours, trl].map((curve) => varianceOf(curve.rewards.slice(late)) / (settings.steps - late)),
);
const noise = 2 * Math.sqrt((2 * mean(scatter)) / pairs.length);
const ratio = median(pairs.map(({ ours, trl }) => trl.seconds / ours.seconds));
const learnt = pairs.every(({ ours, trl }) => lateOf(ours) > earlyOf(ours) && lateOf(trl) > earlyOf(trl));
const same = Math.abs(difference) <= noise;

function varianceOf(numbers: readonly number[]): number {
  return numbers.reduce((sum, one) => sum + (one - mean(numbers)) ** 2, 0) / (numbers.length - 1);
}

const table = {
  columns: ["seed", "first steps", "last third", "TRL: first steps", "last third", "times as fast"],
  rows: pairs.map(({ ours, trl }, index) => [
    seeds[index] ?? 0,
    earlyOf(ours).toFixed(3),
    lateOf(ours).toFixed(3),
    earlyOf(trl).toFixed(3),
    lateOf(trl).toFixed(3),
    (trl.seconds / ours.seconds).toFixed(2),
  ]),
};
const passed = learnt && same && ratio >= leastRatio;
const verdict = `${passed ? "Holds" : "Does not hold"}: the last third differs by ${difference.toFixed(3)} (noise ${noise.toFixed(3)}), ${learnt ? "both learn in every seed" : "one did not learn"}, ${ratio.toFixed(2)} times as fast as TRL ${versions.trl} (${leastRatio} is asked): our whole round with what it stores, its steps alone.`;
if (values.json) console.log(JSON.stringify({ seeds, pairs, difference, noise, ratio }));
else console.log(`${renderTable(table)}\n\n${verdict}`);
if (values.seed === undefined) {
  const series = (name: string, colour: number, of: (pair: (typeof pairs)[number]) => Curve): Series => ({
    name,
    kind: "line",
    colour,
    points: Array.from({ length: settings.steps }, (_, step) => {
      const around = [step - 1, step, step + 1].filter((one) => one >= 0 && one < settings.steps);
      return {
        x: step + 1,
        y: mean(pairs.flatMap((pair) => around.map((one) => of(pair).rewards[one] ?? 0))),
      };
    }),
  });
  const folder = join(import.meta.dirname, "../docs/methods");
  mkdirSync(folder, { recursive: true });
  writeFileSync(
    join(folder, "grpo-curve.svg"),
    drawPicture({
      title: "GRPO on SmolLM2-135M, and TRL's",
      subtitle: `${settings.items} prompts × ${settings.samples} samples a step, learning rate ${settings.learningRate}, mean of ${seeds.length} seeds`,
      note: "Mean reward of a step's samples, drawn before its update, over three neighbouring steps.",
      panels: [
        {
          x: { label: "step", whole: true },
          y: { label: "reward", from: 0, to: 1 },
          series: [
            series("Whetstone", 1, ({ ours }) => ours),
            series(`TRL ${versions.trl}`, 0, ({ trl }) => trl),
          ],
        },
      ],
    }),
  );
  record("grpo-curve", "npm run --silent bench:grpo-curve", {
    title: "GRPO on SmolLM2-135M: rewards and time beside TRL's trainer",
    ...table,
    verdict,
  });
}
process.exitCode = passed ? 0 : 1;
