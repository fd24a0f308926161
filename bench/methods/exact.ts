import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import {
  type Engine,
  type EngineModel,
  type Example,
  type Method,
  type MethodPage,
  type OptimizerResult,
  type OptimizerStep,
  type Pass,
  reverse,
  type Sampler,
  tabular,
} from "whetstone";
import { randomStream } from "../../src/foundation/base/index.ts";
import { groupOfResponses, noTokenizer } from "../exact/rollouts.ts";
import { type ClosedForm, closedForms } from "./closed-forms.ts";

/** What the first step of a method's update makes of a uniform policy, beside its closed form. */
export interface ExactRow {
  readonly method: string;
  readonly column: "exact";
  /** By the closed form: the gradient by the logprob of the best attempt. */
  readonly before: number;
  /** The same as the exact engine's step shows it. */
  readonly after: number;
  /** Least and greatest difference over all attempts, relative to the greatest gradient. */
  readonly low: number;
  readonly high: number;
  readonly diversity: null;
  readonly gap: null;
  readonly label_accuracy: null;
  readonly tokens: number;
}

/** Relative: the table keeps doubles, logprobs come as fp32. */
export const exactTolerance = 1e-4;
const vocabulary = 8;
const prompt = [2];
/** Attempts of one token each, and a token that nobody writes. */
const attempts = [3, 4, 5, 6];
const untaught = 7;
const rewards = [1, 0, 0.5, 0.25];
/** Where all pairs are taken up to so many, as few as are taken whole. */
const verdicts = [1, 0, 0, 0];
/** The critic's expectation, where there is one. */
const expectation = 0.25;

/** An exact engine whose logits are all 0 at first: after the prompt a bandit with an arm a token. */
export class Bandits implements AsyncDisposable {
  readonly #engine: Engine;
  readonly #folder: string;

  private constructor(engine: Engine, folder: string) {
    this.#engine = engine;
    this.#folder = folder;
  }

  static async open(): Promise<Bandits> {
    const folder = await mkdtemp(join(tmpdir(), "whetstone-bandits-"));
    const config = { model_type: "llama", vocab_size: vocabulary, max_position_embeddings: 64 };
    await writeFile(join(folder, "config.json"), JSON.stringify(config));
    return new Bandits(await tabular({ deviation: 0 }).open({ logFolder: folder }), folder);
  }

  model(): Promise<EngineModel> {
    return this.#engine.createModel({ source: { kind: "folder", path: this.#folder, seed: 1 } });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#engine[Symbol.asyncDispose]();
    await rm(this.#folder, { recursive: true, force: true });
  }
}

/** A method by each way in which one of its roles learns, in the order of its passes, the leading role's last way at the end. */
export async function exact(page: MethodPage, bandits: Bandits): Promise<ExactRow> {
  const form = closedForms[page.name];
  if (form === undefined) throw new Error(`${page.name} has no closed form in bench/methods/closed-forms.ts`);
  const rows: ExactRow[] = [];
  for (const update of updatesOf(page.make())) rows.push(await stepOf(page, update, form, bandits));
  const last = rows.at(-1);
  if (last === undefined) throw new Error("nobody leads");
  return {
    ...last,
    low: Math.min(...rows.map(({ low }) => low)),
    high: Math.max(...rows.map(({ high }) => high)),
  };
}

/** One step of plain descent on the table of logits by a method's own update: a change of logits is then the gradient. */
async function stepOf(
  page: MethodPage,
  update: Pass["update"],
  form: ClosedForm,
  bandits: Bandits,
): Promise<ExactRow> {
  await using model = await bandits.model();
  await using start = await model.snapshot();
  const steps = Number(update.description.minibatches ?? 1);
  const scores = update.description.pairs === "all" ? verdicts : rewards;
  // What is demonstrated is the first attempt, and what was written in its place the last.
  const written = update.description.pairs === "demonstration" ? [attempts.length - 1] : [...attempts.keys()];
  const made = groupOfResponses(
    prompt,
    written.map((index) => ({
      tokens: attempts.slice(index, index + 1),
      logprobs: [-Math.log(vocabulary)],
      reward: scores[index] ?? 0,
      parts: { baseline: expectation },
    })),
  );
  // A method that asks what an attempt does for the true answer finds one after it.
  const item = { ...made.item, answer: "true" };
  const rollouts = made.rollouts.map((one) => ({ ...one, rollout: { ...one.rollout, item } }));
  const group = { item, rollouts };
  const { canonical, difficulty } = item;
  const shown: Example = {
    context: Int32Array.from(prompt),
    response: Int32Array.from(attempts.slice(0, 1)),
    item: canonical,
    difficulty,
    prompt: canonical,
    answer: "",
    source: "demonstration",
    writer: null,
  };
  const onDemonstrations = page.reward === "none";
  const task = reverse();
  const { tokensTrained } = await update.update({
    policy: { role: "solver", model: inOneStep(model, steps), tokenizer: noTokenizer },
    groups: onDemonstrations && update.learnsBy === "imitation" ? [] : [group],
    replay: { base: onDemonstrations ? [shown] : [], older: [] },
    task,
    models: { reference: async (role) => ({ role, sampler: start, tokenizer: noTokenizer }) },
    random: randomStream(0, "exact"),
    from: 0,
    to: steps,
  });
  await using sampler = await model.snapshot();
  const measured = await logitsOf(sampler);
  const expected = form(scores, update.description, task.maxTokens(group.item));
  const scale = Math.max(...expected.map(Math.abs));
  const differences = measured.map((one, index) => (one - (expected[index] ?? Number.NaN)) / scale);
  return {
    method: page.name,
    column: "exact",
    before: expected[0] ?? Number.NaN,
    after: measured[0] ?? Number.NaN,
    low: Math.min(...differences),
    high: Math.max(...differences),
    ...{ diversity: null, gap: null, label_accuracy: null },
    tokens: tokensTrained,
  };
}

/** Of each attempt, relative to what nobody wrote, which falls as all do. */
async function logitsOf(sampler: Sampler): Promise<number[]> {
  const logprobs = await sampler.logprobs(
    [...attempts, untaught].map((token) => Int32Array.from([...prompt, token])),
  );
  const of = (index: number): number => logprobs[index]?.[prompt.length] ?? Number.NaN;
  return attempts.map((_, index) => of(index) - of(attempts.length));
}

/**
 * The distinct ways in which roles learn from attempts at a prompt. Not of a critic that learns what to expect of an item: its own
 * test has its lessons and what they weigh.
 */
function updatesOf({ passes, lead }: Method): Pass["update"][] {
  const all = passes.flatMap((pass) =>
    pass.roles
      .toSorted((one, other) => Number(one === lead) - Number(other === lead))
      .map((role) => pass.updates?.[role] ?? pass.update),
  );
  const known = all.filter(({ name }) => name !== "learn verdicts");
  return [
    ...new Map(known.map((update) => [JSON.stringify([update.name, update.description]), update])).values(),
  ];
}

/** Plain descent; what several steps would add, as one of rate 1 from where they begin: minibatches are then parts of one gradient. */
function inOneStep(model: EngineModel, steps: number): EngineModel {
  let asked = 0;
  return new Proxy(model, {
    get: (target, member) => {
      const value: unknown = Reflect.get(target, member);
      if (member !== "optimStep") return typeof value === "function" ? value.bind(target) : value;
      return async (_: OptimizerStep): Promise<OptimizerResult> => {
        asked += 1;
        if (asked < steps) return { sequence: asked, step: 0, gradientNorm: 0 };
        return await target.optimStep({
          optimizer: "sgd",
          learningRate: 1 / steps,
          weightDecay: 0,
          gradientClipNorm: 0,
        });
      };
    },
  });
}
