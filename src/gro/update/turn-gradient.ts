import { z } from "zod";
import { readOptions } from "../../foundation/base/index.ts";
import type { Example, ScoredGroup } from "../../foundation/contract/index.ts";
import { referenceWeights, sampledOf } from "../rollout/index.ts";
import { type GroupCounts, noRemedies, type UpdatePart } from "./part.ts";
import { referenceLogprobs } from "./reference.ts";
import { responseBatch } from "./response-loss.ts";
import { describeSteps, needsOfSteps, stepOptions } from "./step-options.ts";
import { responsesOf } from "./taken.ts";
import { type Batch, trainBatches } from "./train.ts";

const optionsSchema = z.strictObject({
  /** Weight of the KL to the reference in each turn, the first's first; later turns have the last one's. */
  kl: z.array(z.number().min(0)).min(1).default([0.01]),
  /** Turns whose rewards teach: all, or none but the last, the others being held in place by their KL alone. */
  taught: z.enum(["all", "last"]).default("all"),
  reference: referenceWeights.default("base"),
  ...stepOptions(3e-4),
});
export type TurnGradientOptions = Readonly<z.input<typeof optionsSchema>>;

/**
 * One step on the policy gradient of a conversation with itself, turn by turn (SCoRe, arXiv 2409.12917, equations 3 and 4):
 *
 *   loss = Σ_turns Σ_tokens [−A·ρ + β_turn·(e^d − d − 1)] / tokens,   ρ = π/π_sampled, d = log π_ref − log π
 *
 * with A the reward minus the mean of the others' at the same turn of the same item (leave one out). The first stage of SCoRe lets the
 * last turn alone learn from rewards and holds the first by a great β; the second lets every turn learn.
 *
 * @example
 * turnGradient({ kl: [0.1, 0.01], taught: "last" });
 */
export function turnGradient(options: TurnGradientOptions = {}): UpdatePart {
  const read = readOptions("turnGradient()", optionsSchema, options);
  const { kl, taught, reference, learningRate, optimizerState, gradientClipNorm } = read;
  return {
    name: "turn gradient",
    description: {
      kl: kl.join(", "),
      taught,
      reference,
      ...describeSteps(read),
    },
    settings: read,
    learnsBy: "policy-gradient",
    onPolicy: true,
    needs: {
      signedWeights: true,
      ...needsOfSteps(read),
    },
    references: [reference],
    optimizerState,
    compared: ({ groups, role }) => turnsOf(groups, role, kl, taught),
    teaches: "has a turn at which rewards differ",
    steps: () => 1,
    update: async (request) => {
      const { policy, groups, models, signal, remedies = noRemedies } = request;
      const { turns } = turnsOf(groups, policy.role, kl, taught);
      const references = await referenceLogprobs(
        turns.map(({ example }) => example),
        { models, role: policy.role, which: reference, ...(signal ? { signal } : {}) },
      );
      return trainBatches({
        ...request,
        batchAt: () => turnBatch(turns, references),
        learningRateAt: () => remedies.learningRate * learningRate,
        gradientClipNorm,
      });
    },
  };
}

/** What was said in a turn, and what it is to be taught. */
export interface Turn {
  readonly example: Example;
  readonly advantage: number;
  readonly beta: number;
  /** As it was sampled, a logprob a token. */
  readonly sampled: Float32Array;
}

/** Groups in which no turn's rewards differ are left out, their KL included: nothing moves them. */
function turnsOf(
  groups: readonly ScoredGroup[],
  role: string,
  kl: readonly number[],
  taught: "all" | "last",
): GroupCounts & { readonly turns: readonly Turn[] } {
  const byGroup = responsesOf(groups, role).map((responses, group) => {
    // A critique is of another item: it has no reward of the task's.
    const own = responses.flatMap(({ example, reward, scored: { rollout } }) =>
      rollout.item.canonical === groups[group]?.item.canonical
        ? [{ example, reward, turn: rollout.turn ?? 0, sampled: sampledOf(rollout).logprobs }]
        : [],
    );
    const last = Math.max(0, ...own.map(({ turn }) => turn));
    return own.map(({ example, reward, turn, sampled }): Turn => {
      const peers = own.filter((other) => other.turn === turn);
      const others = peers.reduce((sum, other) => sum + other.reward, -reward) / (peers.length - 1);
      const learns = (taught === "all" || turn === last) && peers.length > 1;
      const advantage = learns ? reward - others : 0;
      return { example, advantage, beta: kl[Math.min(turn, kl.length - 1)] ?? 0, sampled };
    });
  });
  const there = byGroup.filter(({ length }) => length > 0);
  const teaching = there.filter((own) => own.some(({ advantage }) => Math.abs(advantage) > 1e-9));
  return { turns: teaching.flat(), taught: teaching.length, skipped: there.length - teaching.length };
}

function turnBatch(
  turns: readonly Turn[],
  references: ReadonlyMap<Example, Float32Array>,
): Batch | undefined {
  if (turns.length === 0) return undefined;
  return responseBatch(
    turns.map(({ example }) => example),
    turnLoss(turns, references),
  );
}

/** The loss, and its derivative by each logprob, of the turns' own tokens. */
export function turnLoss(
  turns: readonly Turn[],
  references: ReadonlyMap<Example, ArrayLike<number>>,
): (logprobs: readonly ArrayLike<number>[]) => {
  readonly loss: number;
  readonly slopes: readonly (readonly number[])[];
} {
  const tokens = turns.reduce((sum, { example }) => sum + example.response.length, 0);
  return (logprobs) => {
    let loss = 0;
    const slopes = turns.map(({ example, advantage, beta, sampled }, index) => {
      const reference = references.get(example);
      return Array.from(logprobs[index] ?? [], (logprob, token) => {
        const ratio = Math.exp(logprob - (sampled[token] ?? Number.NaN));
        const behind = (reference?.[token] ?? Number.NaN) - logprob;
        loss += (-advantage * ratio + beta * (Math.expm1(behind) - behind)) / tokens;
        return (-advantage * ratio - beta * Math.expm1(behind)) / tokens;
      });
    });
    return { loss, slopes };
  };
}
