import { z } from "zod";
import { readOptions } from "../../foundation/base/index.ts";
import type { Example, ScoredGroup } from "../../foundation/contract/index.ts";
import { drawsOver, stepsOver } from "./order.ts";
import { type GroupCounts, noRemedies, type UpdatePart } from "./part.ts";
import { responseBatch } from "./response-loss.ts";
import { describeSteps, needsOfSteps, scheduledRate, stepOptions } from "./step-options.ts";
import { distinctResponses, responsesOf } from "./taken.ts";
import { type Batch, trainBatches } from "./train.ts";

const optionsSchema = z.strictObject({
  /** Weight of what is to become unlikely. */
  alpha: z.number().positive().default(1),
  /** Greatest reward of a response that is to become unlikely; those with reward 1 are imitated, others left alone. */
  rejectedTo: z.number().lt(1).default(0),
  epochs: z.number().positive().max(100).default(1),
  /** Responses a step. */
  batch: z.number().int().min(1).default(32),
  ...stepOptions(1e-4),
});
export type UnlikelihoodOptions = Readonly<z.input<typeof optionsSchema>>;

/**
 * Imitates what was kept and makes what was rejected unlikely, token by token (unlikelihood training, arXiv 1908.04319, equations 2
 * and 5, over sequences):
 *
 *   loss = −Σ_kept log p − α·Σ_rejected log(1 − p), over all tokens, per token
 *
 * An item without both is skipped and counted: making tokens unlikely teaches nothing of what to say instead.
 *
 * @example
 * gro({ generate: samples({ samples: 4 }), reward: verifier(), update: unlikelihood({ alpha: 0.5 }) });
 */
export function unlikelihood(options: UnlikelihoodOptions = {}): UpdatePart {
  const read = readOptions("unlikelihood()", optionsSchema, options);
  const { alpha, rejectedTo, epochs, batch, optimizerState, gradientClipNorm } = read;
  const length = { epochs, batch };
  return {
    name: "unlikelihood",
    description: {
      alpha,
      rejectedTo,
      epochs,
      batch,
      ...describeSteps(read),
    },
    settings: read,
    learnsBy: "preference",
    needs: {
      signedWeights: true,
      ...needsOfSteps(read),
    },
    batch,
    optimizerState,
    compared: ({ groups, role }) => signedOf(groups, role, rejectedTo),
    teaches: "has a response that is kept and one that is rejected",
    steps: ({ newest }, learning) =>
      stepsOver(
        learning === undefined ? newest : signedOf(learning.groups, learning.role, rejectedTo).signed.length,
        length,
      ),
    update: (request) => {
      const { policy, groups, random, remedies = noRemedies } = request;
      const { signed } = signedOf(groups, policy.role, rejectedTo);
      const total = stepsOver(signed.length, length);
      const draw = drawsOver(signed, length, random);
      return trainBatches({
        ...request,
        batchAt: (step) => unlikelihoodBatch(draw(step), alpha),
        learningRateAt: scheduledRate(read, remedies, total),
        gradientClipNorm,
      });
    },
  };
}

/** A response that is to become likelier, or less likely. */
export interface Signed {
  readonly example: Example;
  readonly kept: boolean;
}

function signedOf(
  groups: readonly ScoredGroup[],
  role: string,
  rejectedTo: number,
): GroupCounts & { readonly signed: readonly Signed[] } {
  const byGroup = responsesOf(groups, role).map((own) =>
    distinctResponses(own.filter(({ reward }) => reward >= 1 || reward <= rejectedTo)).map(
      ({ example, reward }): Signed => ({ example, kept: reward >= 1 }),
    ),
  );
  const there = byGroup.filter(({ length }) => length > 0);
  const taught = there.filter((own) => own.some(({ kept }) => kept) && own.some(({ kept }) => !kept));
  return { signed: taught.flat(), taught: taught.length, skipped: there.length - taught.length };
}

function unlikelihoodBatch(signed: readonly Signed[], alpha: number): Batch | undefined {
  if (signed.length === 0) return undefined;
  return responseBatch(
    signed.map(({ example }) => example),
    unlikelihoodLoss(signed, alpha),
  );
}

/** The loss, and its derivative by each logprob, of the responses' own tokens. */
export function unlikelihoodLoss(
  signed: readonly Signed[],
  alpha: number,
): (logprobs: readonly ArrayLike<number>[]) => {
  readonly loss: number;
  readonly slopes: readonly (readonly number[])[];
} {
  const tokens = signed.reduce((sum, { example }) => sum + example.response.length, 0);
  return (logprobs) => {
    let loss = 0;
    const slopes = signed.map(({ kept }, index) =>
      Array.from(logprobs[index] ?? [], (logprob) => {
        if (kept) {
          loss -= logprob / tokens;
          return -1 / tokens;
        }
        // A token that is certain cannot be made unlikely at any finite price: its probability is kept a hair below 1.
        const other = -Math.expm1(Math.min(logprob, -1e-6));
        loss -= (alpha * Math.log(other)) / tokens;
        return (alpha * (1 - other)) / other / tokens;
      }),
    );
    return { loss, slopes };
  };
}
