import type {
  EngineModel,
  Example,
  Method,
  MethodPage,
  OptimizerResult,
  OptimizerStep,
  Pass,
} from "whetstone";
import { randomStream } from "../../src/foundation/base/index.ts";
import { letters } from "../../src/gro/rollout/testing/fakes.ts";
import { attempts, type Bandits, descending, logitsOf } from "../../src/gro/update/testing/bandit.ts";
import { reverse } from "../../src/world/task/index.ts";
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
const prompt = "p";
const texts = ["a", "b", "c", "d"];
const rewards = [1, 0, 0.5, 0.25];
/** The critic's expectation, where there is one. */
const expectation = 0.25;

/** One step of plain descent on the table of logits by the method's own update: a change of logits is then the gradient. */
export async function exact(page: MethodPage, bandits: Bandits): Promise<ExactRow> {
  const form = closedForms[page.name];
  if (form === undefined) throw new Error(`${page.name} has no closed form in bench/methods/closed-forms.ts`);
  const method = page.make();
  const { update } = learning(method);
  await using model = await bandits.model();
  await using start = await model.snapshot();
  const steps = Number(update.description.minibatches ?? 1);
  // What is demonstrated is the first letter, and what was written in its place the last.
  const written = update.description.pairs === "demonstration" ? [texts.length - 1] : texts.keys();
  const group = attempts(
    prompt,
    [...written].map((index) => [texts[index] ?? "", rewards[index] ?? 0, expectation] as const),
  );
  const shown: Example = {
    context: group.rollouts[0]?.rollout.segments[0]?.tokens ?? new Int32Array(),
    response: letters.encode(texts[0] ?? ""),
    item: group.item.canonical,
    difficulty: group.item.difficulty,
    prompt,
    answer: texts[0] ?? "",
    source: "demonstration",
    writer: null,
  };
  const onDemonstrations = page.reward === "none";
  const { tokensTrained } = await update.update({
    policy: { role: "solver", model: inOneStep(descending(model), steps), tokenizer: letters },
    groups: onDemonstrations && update.learnsBy === "imitation" ? [] : [group],
    replay: { base: onDemonstrations ? [shown] : [], older: [] },
    task: reverse(),
    models: { reference: async (role) => ({ role, sampler: start, tokenizer: letters }) },
    random: randomStream(0, "exact"),
    from: 0,
    to: steps,
  });
  await using sampler = await model.snapshot();
  const measured = (await logitsOf(sampler, prompt, texts)).map(([logit = Number.NaN]) => logit);
  const expected = form(rewards, update.description, reverse().maxTokens(group.item));
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

/** How the role that leads learns, in the last pass in which it does. */
function learning({ passes, lead }: Method): Pick<Pass, "update"> {
  const pass = passes.findLast(({ roles }) => roles.includes(lead));
  if (pass === undefined) throw new Error("nobody leads");
  return { update: pass.updates?.[lead] ?? pass.update };
}

/** What several steps would add, as one of rate 1 from where they begin: minibatches are then parts of one gradient. */
function inOneStep(model: EngineModel, steps: number): EngineModel {
  let asked = 0;
  return new Proxy(model, {
    get: (target, member) => {
      const value: unknown = Reflect.get(target, member);
      if (member !== "optimStep") return typeof value === "function" ? value.bind(target) : value;
      return async (options: OptimizerStep): Promise<OptimizerResult> => {
        asked += 1;
        if (asked < steps) return { sequence: asked, step: 0, gradientNorm: 0 };
        return await target.optimStep({ ...options, learningRate: 1 / steps });
      };
    },
  });
}
