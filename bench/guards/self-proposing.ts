import { absoluteZero, defineRun, type Method, type RewardPart, supervised } from "whetstone";
import type { PlantedFault } from "./planted-fault.ts";
import { onRoles, rolesShown } from "./roles-on-digits.ts";

/** Strings that end so are solved always, sometimes and never. */
const [solved, open, hopeless] = ["012", "3456", "789"] as const;

const beside = { trivial: solved, unsolvable: hopeless, learnable: "" } as const;

export interface SelfProposingOptions {
  /** What the proposer knows to write beside what can be learnt from; with "learnable" nothing else. */
  readonly knows: "trivial" | "unsolvable" | "learnable";
  readonly optimize: Method;
  /** Of what it proposes that could be learnt from, the share with a mistake; default .7. */
  readonly malformed?: number;
}

/**
 * One model proposes strings and says their last digit. Most of what could be learnt from it proposes with a mistake; what is always
 * solved, or never, without.
 */
export function selfProposing({
  knows,
  optimize,
  malformed = 0.7,
}: SelfProposingOptions): PlantedFault["define"] {
  return ({ seed, guards }) =>
    defineRun({
      ...onRoles,
      name: `proposing-${knows}`,
      prepare: supervised({
        on: rolesShown({
          right: (digit) => (solved.includes(String(digit)) ? 1 : open.includes(String(digit)) ? 0.5 : 0),
          proposed: beside[knows].repeat(6) + open.repeat(7),
          malformed: (digit) => (open.includes(String(digit)) ? malformed : 0),
        }),
        steps: 400,
        learningRate: 0.1,
      }),
      optimize,
      budget: { rounds: 5 },
      seed,
      ...guards,
    });
}

/** Absolute Zero as it is. */
export const byLearnability = (): Method => absoluteZero({ turns: 8, learningRate: 0.2 });

/** Pays the proposer for every new problem alike, and so for none that teaches more than another. */
export function byValidity(): Method {
  const method = byLearnability();
  return {
    ...method,
    name: "Absolute Zero, paid for validity",
    passes: method.passes.map((pass) =>
      pass.reward.name === "learnability" ? { ...pass, reward: validity(pass.reward) } : pass,
    ),
  };
}

function validity(tried: RewardPart): RewardPart {
  return {
    ...tried,
    name: "validity",
    reward: async (groups, context) =>
      (await tried.reward(groups, context)).map(({ item, rollouts }) => ({
        item,
        rollouts: rollouts.map((scored) => ({ ...scored, reward: scored.made === undefined ? 0 : 1 })),
      })),
  };
}
