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
import { closedForms } from "./closed-forms.ts";

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

/** One step of plain descent on the table of logits by the method's own update: a change of logits is then the gradient. */
export async function exact(page: MethodPage, bandits: Bandits): Promise<ExactRow> {
  const form = closedForms[page.name];
  if (form === undefined) throw new Error(`${page.name} has no closed form in bench/methods/closed-forms.ts`);
  const update = learning(page.make());
  await using model = await bandits.model();
  await using start = await model.snapshot();
  const steps = Number(update.description.minibatches ?? 1);
  // What is demonstrated is the first attempt, and what was written in its place the last.
  const written = update.description.pairs === "demonstration" ? [attempts.length - 1] : [...attempts.keys()];
  const made = groupOfResponses(
    prompt,
    written.map((index) => ({
      tokens: attempts.slice(index, index + 1),
      logprobs: [-Math.log(vocabulary)],
      reward: rewards[index] ?? 0,
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
  const expected = form(rewards, update.description, task.maxTokens(group.item));
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

/** How the role that leads learns, in the last pass in which it does. */
function learning({ passes, lead }: Method): Pass["update"] {
  const pass = passes.findLast(({ roles }) => roles.includes(lead));
  if (pass === undefined) throw new Error("nobody leads");
  return pass.updates?.[lead] ?? pass.update;
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
