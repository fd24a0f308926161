import { readOptions } from "../../../foundation/base/index.ts";
import type { Example, ScoredGroup } from "../../../foundation/contract/index.ts";
import { earlierTurn, exampleOfRollout, sampledOf } from "../../rollout/index.ts";
import { type GroupCounts, type Learning, noRemedies, type UpdatePart, type UpdateRequest } from "../part.ts";
import { referenceLogprobs } from "../reference.ts";
import { needsOfSteps } from "../step-options.ts";
import { type Taken, takenFrom } from "../taken.ts";
import { clipOf, trainBatches } from "../train.ts";
import { advantagesOf, groupEstimators, type Judged } from "./advantages.ts";
import { needsDerivatives, policyBatch, type WeighedResponse } from "./policy-batch.ts";
import {
  type PolicyGradientOptions,
  type PolicyGradientRead,
  policyGradientSchema,
  policyLossOf,
} from "./policy-options.ts";

/**
 * The policy gradient on sampled responses. As it is: advantages A = (r − mean) / std over the attempts at one item (GRPO, arXiv
 * 2402.03300, section 4.1.2), every token weighing the same (DAPO's token mean, arXiv 2503.14476, equation 12), one optimiser step a
 * batch of rollouts. Options choose what rewards are compared with (`advantages`), the loss and its bounds, what is averaged, how often
 * a batch is learnt from (`iterations`, `minibatches`: the ratio is then to the probabilities that sampled, and bounds matter), and a
 * KL from earlier weights in the loss or in the reward. A group whose rewards are all equal teaches nothing: it is not computed, is
 * counted as skipped, and stands in what the sum is divided by, where its zeros belong; a KL in the loss would pull on it, and does
 * not. Void rollouts, and those that are older than `maxStaleness`, are not there at all. A KL in the loss takes the universal path:
 * derivatives here, signed weights there.
 *
 * @example
 * gro({ generate: samples({ samples: 8 }), reward: verifier(), update: policyGradient({ learningRate: 3e-4 }) });
 * policyGradient({ loss: "ppo", clipHigh: 1.28, iterations: 2, kl: { coefficient: 0.04, in: "loss" } });
 */
export function policyGradient(options: PolicyGradientOptions = {}): UpdatePart {
  const read = readOptions("policyGradient()", policyGradientSchema, options);
  const { learningRate, optimizerState, gradientClipNorm, iterations, minibatches, kl } = read;
  const grouped = groupEstimators.includes(read.advantages) && !read.byKind;
  const klInLoss = kl?.in === "loss" ? kl.coefficient : 0;
  const universal = needsDerivatives({ loss: { name: read.loss }, average: read.average, klInLoss });
  return {
    name: "policy gradient",
    description: describe(read),
    settings: read,
    learnsBy: "policy-gradient",
    onPolicy: true,
    needs: {
      losses: universal ? [] : [read.loss],
      ...(universal ? { signedWeights: true } : {}),
      ...needsOfSteps(read),
    },
    ...(kl === undefined ? {} : { references: [kl.reference] }),
    attemptsPerItem: grouped ? 2 : 1,
    minibatches,
    steps: () => iterations * minibatches,
    compared: (learning) => compared(learning, read),
    ...teachesOf(read),
    optimizerState,
    update: async (request) => {
      const { responses, stale, compared } = await weigh(request, read);
      const batchOptions = {
        loss: policyLossOf(read),
        average: read.average,
        length: read.length ?? longest(request),
        klInLoss,
      };
      const outcome = await trainBatches({
        ...request,
        batchAt: (step) => policyBatch(partOf(responses, step, minibatches, request), batchOptions),
        learningRateAt: () => (request.remedies ?? noRemedies).learningRate * learningRate,
        gradientClipNorm,
      });
      return { ...outcome, stale, compared };
    },
  };
}

interface Weighed {
  readonly responses: readonly WeighedResponse[];
  readonly stale: number;
  readonly compared: GroupCounts;
}

/** The responses with a reward, with the advantages of those that teach, and how many are too old to. */
async function weigh(request: UpdateRequest, read: PolicyGradientRead): Promise<Weighed> {
  const { policy, groups, models, signal } = request;
  const { trained, maxStaleness, kl } = read;
  const weightVersion = maxStaleness === undefined ? undefined : await versionOf(request);
  const { taken, stale } = takenFrom(groups, {
    role: policy.role,
    trained,
    maxStaleness,
    weightVersion,
  });
  const flat = taken.flat();
  const examples = new Map<Taken, Example>(
    flat.map((one) => [one, exampleOfRollout(one.scored.rollout, one.place)]),
  );
  const references = new Map<Taken, Float64Array>();
  if (kl !== undefined) {
    const { role } = policy;
    const asked = { models, role, which: kl.reference, ...(signal ? { signal } : {}) };
    const logprobs = await referenceLogprobs(examples.values(), asked);
    for (const [one, example] of examples)
      references.set(one, Float64Array.from(logprobs.get(example) ?? new Float32Array()));
  }
  const judged = taken.map((group) =>
    group.map((one): Judged => {
      const behaviour = sampledOf(one.scored.rollout).logprobs;
      const reference = kl?.in === "reward" ? references.get(one) : undefined;
      const cost = (logprob: number, at: number): number =>
        (kl?.coefficient ?? 0) * ((behaviour[at] ?? 0) - logprob);
      return { ...judgedOf(one, groups), costs: reference?.map(cost) };
    }),
  );
  const advantages = advantagesOf(judged, read);
  const responses = taken.flatMap((group, at) =>
    group.flatMap((one, index): WeighedResponse[] => {
      const example = examples.get(one);
      if (example === undefined) return [];
      return [
        {
          example,
          behaviour: sampledOf(one.scored.rollout).logprobs,
          advantages: advantages[at]?.[index],
          reference: references.get(one),
        },
      ];
    }),
  );
  const compared = countsOf(groups, policy.role, (at) => advantages[at] !== undefined);
  return { responses, stale, compared };
}

/**
 * Groups of the role that have something to compare, and those where nothing differs, as far as can be told before a KL is measured: one
 * in the reward makes rewards differ as soon as the weights have left the reference.
 */
function compared({ groups, role }: Learning, read: PolicyGradientRead): GroupCounts {
  const { taken } = takenFrom(groups, { role, trained: read.trained });
  const judged = taken.map((group) => group.map((one) => judgedOf(one, groups)));
  const advantages = advantagesOf(judged, read);
  const least = groupEstimators.includes(read.advantages) && !read.byKind ? 2 : 1;
  const differs = (at: number): boolean =>
    advantages[at] !== undefined || (read.kl?.in === "reward" && (judged[at]?.length ?? 0) >= least);
  return countsOf(groups, role, differs);
}

/** Of estimators that compare a response with more than its group. */
function teachesOf({ advantages, byKind }: PolicyGradientRead): Pick<UpdatePart, "teaches"> {
  if (advantages === "none") return { teaches: "has a reward other than 0" };
  if (advantages === "learned") return { teaches: "has a reward other than what was expected of it" };
  if (byKind) return { teaches: "has a reward other than that of all at its kind of item" };
  return groupEstimators.includes(advantages) ? {} : { teaches: "has a reward other than the batch's mean" };
}

/** Of the groups that the role wrote in. */
function countsOf(
  groups: readonly ScoredGroup[],
  role: string,
  teaches: (at: number) => boolean,
): GroupCounts {
  const written = [...groups.keys()].filter((at) =>
    groups[at]?.rollouts.some(({ rollout }) => rollout.role === role),
  );
  const taught = written.filter(teaches).length;
  return { taught, skipped: written.length - taught };
}

function judgedOf({ scored, reward, place }: Taken, groups: readonly ScoredGroup[]): Judged {
  const { baseline, [earlierTurn]: earlier } = scored.parts;
  return {
    reward,
    baseline,
    tokens: sampledOf(scored.rollout).tokens.length,
    // Of the group's item: what is proposed at it, or asked about it, is of its kind.
    kind: groups[place.group]?.item.stratum,
    earlier: earlier !== undefined,
  };
}

/** What a step learns from: all, or its share of them in the iteration's own order. */
function partOf(
  responses: readonly WeighedResponse[],
  step: number,
  minibatches: number,
  { random }: UpdateRequest,
): readonly WeighedResponse[] {
  if (minibatches === 1) return responses;
  const order = random.fork(`iteration-${Math.floor(step / minibatches)}`).shuffle(responses);
  const bound = (part: number): number => Math.round((part * order.length) / minibatches);
  const part = step % minibatches;
  return order.slice(bound(part), bound(part + 1));
}

async function versionOf({ policy, signal }: UpdateRequest): Promise<string> {
  await using sampler = await policy.model.snapshot(signal ? { signal } : {});
  return sampler.weightVersion;
}

function longest({ groups, task }: UpdateRequest): number {
  return Math.max(1, ...groups.map(({ item }) => task.maxTokens(item)));
}

/** What is as usual goes without saying, as in runs that were stored before it could be set. */
function describe(read: PolicyGradientRead): UpdatePart["description"] {
  const { loss, learningRate, divideByDeviation, optimizerState, gradientClipNorm, kl, ...rest } = read;
  const { name: _name, ...bounds } = policyLossOf(read);
  const { clipLow: _low, clipHigh: _high, beta: _beta, ...others } = rest;
  const usual = policyGradientSchema.parse({});
  const unusual = Object.entries(others).filter(
    ([option, value]) => value !== undefined && value !== usual[option as keyof typeof usual],
  );
  return {
    learningRate,
    loss,
    ...bounds,
    ...(read.advantages === "group" ? { divideByDeviation } : {}),
    optimizerState,
    ...clipOf(gradientClipNorm),
    ...Object.fromEntries(unusual as [string, string | number | boolean][]),
    ...(kl === undefined ? {} : { kl: kl.coefficient, klIn: kl.in, klReference: kl.reference }),
  };
}
