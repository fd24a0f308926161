import { z } from "zod";
import { readOptions } from "../../../../foundation/base/index.ts";
import { fromGuidelines } from "../../../../gro/generate/index.ts";
import { generatePart, rewardPart, updatePart } from "../../../../gro/method/index.ts";
import { gro, type Method } from "../../../../gro/method.ts";
import { distinct, verifier } from "../../../../gro/reward/index.ts";
import { supervised } from "../../../../gro/update/index.ts";
import type { MethodPage } from "../../page.ts";
import { checkImitating } from "./imitating.ts";

const optionsSchema = z.strictObject({
  generate: generatePart.optional(),
  reward: rewardPart.optional(),
  update: updatePart.optional(),
  /** Different right paths of an item that are learnt at most. */
  perItem: z.number().int().min(1).default(5),
  start: z.enum(["base", "current"]).default("base"),
});
export type ReGenesisOptions = Readonly<z.input<typeof optionsSchema>>;

/**
 * ReGenesis (arXiv 2410.02108, section 3): reasoning paths are made from abstract to concrete, and so are as different as the guidelines
 * that they begin with. Those that end in the right answer are learnt as answers to the item alone, from the base model:
 *
 *   J(θ) = E over g ~ guidelines, g′ ~ π(·|x, g), s ~ π(·|x, g′), y ~ π(·|x, s) of 1[answer(y) = y*(x)] · log π_θ(y|x)
 *
 * The paper tries items whose paths all fail once more with the answer in view; `star({ rationalise: true })` does that. Its model
 * first chooses among 25 guidelines; here each attempt has its own, in turn.
 *
 * The paper does one such round. In several, who learns answers alone forgets how to plan and to follow a plan, unless the rounds acquire
 * demonstrations of both, which half of every batch replays.
 *
 * Defaults: 4 paths an item at T = 1 (the paper 45 at 1.2), at most 5 different right ones, 60 steps at 5e-4.
 *
 * @example
 * reGenesis({ generate: fromGuidelines({ samples: 8 }) })
 */
export function reGenesis(options: ReGenesisOptions = {}): Method {
  const read = readOptions("reGenesis()", optionsSchema, options);
  const {
    generate = fromGuidelines(),
    reward = verifier(),
    update = supervised({
      steps: 60,
      learningRate: 5e-4,
      optimizerState: "fresh",
      replay: { newest: 0.5, base: 0.5 },
    }),
    perItem,
    start,
  } = read;
  checkImitating("reGenesis()", update);
  return gro({
    name: "ReGenesis",
    generate,
    reward: distinct({ of: reward, by: "text", perItem }),
    update,
    start,
  });
}

export const reGenesisPage: MethodPage = {
  name: "regenesis",
  title: "ReGenesis",
  paradigm: "rejection sampling",
  reward: "external",
  summary:
    "From a general guideline to one of the item, to a plan, to a path; right paths are learnt as answers to the item alone.",
  formula:
    "J(θ) = E over g, g′ ~ π(·|x, g), s ~ π(·|x, g′), y ~ π(·|x, s) of 1[answer(y) = y*(x)] · log π_θ(y|x)",
  source: "arXiv 2410.02108, section 3.1, and SalesforceAIResearch/ReGenesis reasoning_paths_gen.py",
  checked: true,
  differs:
    "equal responses to an item are learnt once; items whose paths all fail are not tried again with the answer in view, as the paper's are",
  options: optionsSchema,
  make: reGenesis,
  vary: [
    ["reGenesis({ reward: majority() })", "agreement in the place of known answers, as the paper also tries"],
    ["reGenesis({ generate: samples({ samples: 4 }) })", "the control: paths without guidelines"],
  ],
};
