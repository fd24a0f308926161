import type { Datum, Loss, LossName } from "../../../foundation/contract/index.ts";
import { countedBy, requiredArray } from "../datum.ts";
import { engineError } from "../engine-error.ts";
import { checkNumbers } from "./limits.ts";
import { type PolicyTerm, policyTerms } from "./policy-loss.ts";

type PolicyLoss = Exclude<Loss, { readonly name: "cross_entropy" }>;

const clips = ["clipLow", "clipHigh"] as const;
/** What each loss can be told. */
const members: Readonly<Record<LossName, readonly string[]>> = {
  cross_entropy: [],
  importance_sampling: [],
  ppo: clips,
  cispo: clips,
  dro: ["beta"],
  gspo: clips,
};

export const losses = Object.keys(members) as readonly LossName[];

/** A loss at the positions of one datum. */
export interface LossTerms {
  counts(position: number): boolean;
  /** Of a loss that looks at the whole sequence: told the logprob of every target that counts before `at` is asked. */
  readonly begin?: (logprobs: Float64Array) => void;
  /** The loss, and its derivative with respect to the target's logprob. */
  at(position: number, logprob: number): readonly [loss: number, derivative: number];
}

/** The losses of the contract, each exactly as its docstring has it. Throws `bad-request`. */
export function termsOf(loss: Loss, datum: Datum, index: number): LossTerms {
  checkMembers(loss);
  if (loss.name === "cross_entropy") {
    const weights = requiredArray(datum, index, "weights", loss);
    return {
      counts: (position) => weights[position] !== 0,
      at: (position, logprob) => {
        const weight = weights[position] as number;
        return [-weight * logprob, -weight];
      },
    };
  }
  const term = policyTerms[loss.name](checked(loss), boundsOf(datum, index, loss));
  const advantages = requiredArray(datum, index, "advantages", loss);
  const behaviour = requiredArray(datum, index, "logprobs", loss);
  const mask = countedBy(datum, loss) === undefined ? undefined : requiredArray(datum, index, "mask", loss);
  const at = (position: number, logprob: number, ratio: number): ReturnType<PolicyTerm> => {
    const from = behaviour[position] as number;
    const [value, derivative] = term({
      logprob,
      behaviour: from,
      ratio,
      advantage: advantages[position] as number,
      position,
    });
    const weight = mask?.[position] ?? 1;
    return [-weight * value, -weight * derivative];
  };
  const counts = (position: number): boolean => mask?.[position] !== 0;
  if (loss.name !== "gspo")
    return {
      counts,
      at: (position, logprob) => at(position, logprob, Math.exp(logprob - (behaviour[position] as number))),
    };
  let ratio = 1;
  return {
    counts,
    begin: (logprobs) => {
      let [sum, whole] = [0, 0];
      for (const [position, logprob] of logprobs.entries()) {
        if (!counts(position)) continue;
        const weight = mask?.[position] ?? 1;
        sum += weight * (logprob - (behaviour[position] as number));
        whole += weight;
      }
      ratio = Math.exp(sum / whole);
    },
    at: (position, logprob) => at(position, logprob, ratio),
  };
}

function checkMembers({ name, ...options }: Loss): void {
  if (!losses.includes(name)) throw engineError("bad-request", `There is no loss "${name}".`);
  const strange = Object.keys(options).find((member) => !members[name].includes(member));
  if (strange !== undefined) throw engineError("bad-request", `The loss ${name} has no "${strange}".`);
}

function checked(loss: PolicyLoss): PolicyLoss {
  checkNumbers({ ...loss });
  if (loss.name === "importance_sampling" || loss.name === "dro") return loss;
  const { clipLow = 0, clipHigh = Number.POSITIVE_INFINITY } = loss;
  if (clipLow > clipHigh) throw engineError("bad-request", "clipLow must not be above clipHigh.");
  return loss;
}

/** Bounds that a datum has of its own. */
function boundsOf(datum: Datum, index: number, loss: PolicyLoss): Pick<Datum, "clipLow" | "clipHigh"> {
  const given = clips.filter((name) => datum[name] !== undefined);
  if (given.length > 0 && !members[loss.name].includes("clipLow"))
    throw engineError("bad-request", `Datum ${index} has ${given.join()}, and ${loss.name} clips nothing.`);
  return Object.fromEntries(given.map((name) => [name, requiredArray(datum, index, name, loss)]));
}
