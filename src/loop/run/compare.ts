import { realpathSync } from "node:fs";
import { join } from "node:path";
import { z } from "zod";
import { randomStream, readOptions } from "../../foundation/base/index.ts";
import type { Engine, Gain, Harness, Item, Measurement, Tokenizer } from "../../foundation/contract/index.ts";
import { ledgerFolder } from "../../foundation/ledger/index.ts";
import {
  evaluationItems,
  gainOf,
  gainsByStratum,
  type Measured,
  measure,
  type StratumGain,
} from "../../lifecycle/evaluate/index.ts";
import { loadTokenizer } from "../../model/text/index.ts";
import { runCanaries } from "../../world/task/index.ts";
import type { RunDefinition } from "../round/definition.ts";
import { abortSignal, checkDefinition, functionOf, projectFolder } from "./arguments.ts";
import { askedSamplers } from "./asked-samplers.ts";
import { runOf } from "./audit-run.ts";
import { type Contender, contenderSchema, type FoundContender, findContender } from "./compare/contender.ts";
import { lendVerifier } from "./lend-verifier.ts";

export interface CompareOptions {
  /** The project folder of a run of this definition; the current folder if left out. */
  readonly folder?: string;
  /** The base if left out. */
  readonly a?: Contender;
  /** The champion if left out. */
  readonly b?: Contender;
  /** Audit items of each stratum; enumerated ones are taken whole. Default 256. */
  readonly perStratum?: number;
  readonly onProgress?: (answered: number, total: number) => void;
  readonly signal?: AbortSignal;
}

/** What one of the two came to. */
export interface ContenderScore {
  readonly run: string | null;
  readonly round: number | null;
  readonly checkpoint: string;
  readonly harness: string;
  readonly measurement: Measurement;
}

export interface Comparison {
  readonly a: ContenderScore;
  readonly b: ContenderScore;
  readonly split: "audit";
  /** Items that both answered. */
  readonly items: number;
  /** b minus a on the same items, over the target distribution, with a 95 % interval. */
  readonly gain: Gain;
  readonly strata: readonly StratumGain[];
  /** Who is better, where the interval does not hold 0. */
  readonly better: "a" | "b" | "not-shown";
  /** Whether both are the very same weights: then only the ways to answer can differ. */
  readonly sameWeights: boolean;
  /** What must be known before acting on it. */
  readonly warning: string;
}

const optionsSchema = z.strictObject({
  folder: projectFolder,
  a: contenderSchema.default({ of: "base" }),
  b: contenderSchema.default({ of: "champion" }),
  perStratum: z.number().int().min(1).default(256),
  onProgress: functionOf<NonNullable<CompareOptions["onProgress"]>>(),
  signal: abortSignal,
});

/** Said with every comparison: who chooses by audit items has none left to claim a gain on. */
export const auditWarning =
  "These are audit items: whoever chooses between models by them can claim no gain on them any more. What decides in a run is the gate.";

/**
 * Lets two models, or two ways to answer, answer the same audit items. Decision items are not touched, and nothing is
 * recorded. Throws user errors `no-run`, `no-weights`, `checkpoint-damaged`, `model-missing` and `verifier-wrong`.
 *
 * @example
 * const prepare = supervised({ on: demonstrations(), steps: 10, learningRate: 0.3 });
 * const definition = defineRun({ task: reverse({ lengths: [1, 4] }), engine: tabular(), prepare, budget: { rounds: 0 } });
 * const folder = await mkdtemp(join(tmpdir(), "run-"));
 * await run(definition, { folder });
 * const { gain } = await compareWeights(definition, { folder, a: { of: "base" }, b: { of: "champion" }, perStratum: 64 });
 */
export async function compareWeights(
  definition: RunDefinition,
  options: CompareOptions = {},
): Promise<Comparison> {
  checkDefinition("compareWeights()", definition);
  const read = readOptions("compareWeights()", optionsSchema, options);
  const { folder, perStratum, onProgress = () => {}, signal } = read;
  const [a, b] = [read.a, read.b] as readonly [Contender, Contender];
  const { task, seed } = definition;
  const find = (contender: Contender): Promise<FoundContender> =>
    findContender(contender, folder, () => runOf(definition, folder));
  const [first, second] = [await find(a), await find(b)];
  await using _verifier = lendVerifier(task, folder);
  await runCanaries(task);
  const random = randomStream(seed, "compare");
  const items = evaluationItems({ task, split: "audit", perStratum, random });
  const answersSeed = random.fork("answers").seed();
  await using engine = await definition.engine.open({
    logFolder: join(ledgerFolder(folder), "logs"),
    ...(signal ? { signal } : {}),
  });
  const answer = (who: FoundContender, harness: Harness, before: number): Promise<Measured> =>
    answerWith({
      definition,
      folder,
      engine,
      found: who,
      harness,
      items,
      seed: answersSeed,
      onProgress: (done) => onProgress(before + done, 2 * items.length),
      signal,
    });
  const before = await answer(first, a.harness ?? definition.refine, 0);
  const after = await answer(second, b.harness ?? definition.refine, items.length);
  const pairs = { task, before: before.judged, after: after.judged };
  const gain = gainOf(pairs);
  const scoreOf = (who: FoundContender, { harness = definition.refine }: Contender, of: Measured) => ({
    run: who.run,
    round: who.round,
    checkpoint: who.checkpoint,
    harness: wordsFor(harness),
    measurement: of.measurement,
  });
  return {
    a: scoreOf(first, a, before),
    b: scoreOf(second, b, after),
    split: "audit",
    items: items.length,
    gain,
    strata: gainsByStratum(pairs),
    better: gain.interval.low > 0 ? "b" : gain.interval.high < 0 ? "a" : "not-shown",
    sameWeights: realpathSync(first.path) === realpathSync(second.path),
    warning: auditWarning,
  };
}

interface AnswerRequest {
  readonly definition: RunDefinition;
  readonly folder: string;
  readonly engine: Engine;
  readonly found: FoundContender;
  readonly harness: Harness;
  readonly items: readonly Item[];
  readonly seed: number;
  readonly onProgress: (done: number) => void;
  readonly signal: AbortSignal | undefined;
}

async function answerWith(request: AnswerRequest): Promise<Measured> {
  const { definition, engine, found, harness, items, seed, onProgress, signal } = request;
  const { path, kind, checkpoint } = found;
  const tokenizer = await tokenizerOf(request);
  await using sampler = await engine.loadSampler({
    source: kind === "checkpoint" ? { kind, path, optimizer: false } : { kind, path },
    precision: definition.precision,
    tokenBytes: tokenizer.tokenBytes(),
  });
  await using beside = await askedSamplers({
    engine,
    precision: definition.precision,
    tokenizer,
    folder: found.asked.folder,
    asked: (harness.asks ?? []).length === 0 ? {} : found.asked.checkpoints,
  });
  return await measure({
    task: definition.task,
    harness,
    policy: { role: definition.optimize.lead, sampler, tokenizer },
    asked: beside.asked,
    weightVersion: checkpoint,
    items,
    split: "audit",
    seed,
    onProgress,
    ...(signal ? { signal } : {}),
  });
}

/** The run's own weights speak as in the run; all others as their folder says. */
async function tokenizerOf({ definition, folder, found }: AnswerRequest): Promise<Tokenizer> {
  if (!found.own) return await loadTokenizer(found.path);
  const needs = { characters: definition.task.characters, projectFolder: folder };
  return (await definition.model.prepare(join(ledgerFolder(folder), "models"), needs)).tokenizer;
}

function wordsFor({ name, description }: Harness): string {
  const parts = Object.entries(description).map(([key, value]) => `${key} ${value}`);
  return parts.length === 0 ? name : `${name} (${parts.join(", ")})`;
}
