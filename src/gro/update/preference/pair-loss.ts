import { z } from "zod";

/** What a loss of pairs sees of a response: nats, summed over its tokens. */
export interface Told {
  /** log π(y|x). */
  readonly logprob: number;
  /** log π_ref(y|x); 0 for a loss that reads none. */
  readonly reference: number;
  readonly tokens: number;
  /** Its reward: for SPPO the chance that it beats the policy's other responses. */
  readonly reward: number;
}

/** A loss of one pair, and its derivative by the logprob of the chosen and of the rejected response. */
export interface PairLossValue {
  readonly loss: number;
  readonly chosen: number;
  readonly rejected: number;
}

export type PairLoss = (chosen: Told, rejected: Told) => PairLossValue;

const positive = z.number().positive();
/** Weight α of the chosen response's negative log-likelihood per token, added to the loss (iterative RPO). */
const likelihood = z.number().min(0).default(0);

export const pairLossSchema = z.discriminatedUnion("name", [
  z.strictObject({ name: z.literal("dpo"), beta: positive.default(0.1), likelihood }),
  z.strictObject({ name: z.literal("ipo"), beta: positive.default(0.1), likelihood }),
  z.strictObject({
    name: z.literal("simpo"),
    beta: positive.default(2),
    /** The margin that is aimed at, in units of β times nats a token. */
    gamma: z.number().min(0).default(1),
    likelihood,
  }),
  z.strictObject({
    name: z.literal("orpo"),
    /** Weight of the odds ratio beside the likelihood, which ORPO always has. */
    lambda: positive.default(0.1),
  }),
  z.strictObject({ name: z.literal("sppo"), eta: positive.default(1e3), likelihood }),
]);
export type PairLossOptions = z.output<typeof pairLossSchema>;

/** The loss of these options; each is a function of the two summed logprobs alone. */
export function pairLossOf(options: PairLossOptions): PairLoss {
  switch (options.name) {
    case "dpo":
      return withLikelihood(dpo(options.beta), options.likelihood);
    case "ipo":
      return withLikelihood(ipo(options.beta), options.likelihood);
    case "simpo":
      return withLikelihood(simpo(options.beta, options.gamma), options.likelihood);
    case "orpo":
      return withLikelihood(oddsRatio(options.lambda), 1);
    case "sppo":
      return withLikelihood(sppo(options.eta), options.likelihood);
  }
}

/** Whether a loss reads the logprobs of earlier weights. */
export function readsReference({ name }: PairLossOptions): boolean {
  return name !== "simpo" && name !== "orpo";
}

/**
 * −log σ(β·[log π(y⁺)/π_ref(y⁺) − log π(y⁻)/π_ref(y⁻)]) (DPO, arXiv 2305.18290, equation 7; with a demonstration as y⁺ and an
 * answer of the weights before as y⁻ it is SPIN's, arXiv 2401.01335, equation 4.7).
 */
function dpo(beta: number): PairLoss {
  return (chosen, rejected) => {
    const margin = beta * (ratioOf(chosen) - ratioOf(rejected));
    const slope = -beta * sigmoid(-margin);
    return { loss: softplus(-margin), chosen: slope, rejected: -slope };
  };
}

/**
 * (m⁺ − m⁻ − 1/(2β))² with m the log ratio to the reference per token (IPO, arXiv 2310.12036, equation 17; per token, as its
 * authors told TRL that their results were made).
 */
function ipo(beta: number): PairLoss {
  return (chosen, rejected) => {
    const distance = ratioOf(chosen) / chosen.tokens - ratioOf(rejected) / rejected.tokens - 1 / (2 * beta);
    return {
      loss: distance ** 2,
      chosen: (2 * distance) / chosen.tokens,
      rejected: (-2 * distance) / rejected.tokens,
    };
  };
}

/** −log σ(β·log π(y⁺)/|y⁺| − β·log π(y⁻)/|y⁻| − γ), without a reference (SimPO, arXiv 2405.14734, equation 6). */
function simpo(beta: number, gamma: number): PairLoss {
  return (chosen, rejected) => {
    const margin = beta * (chosen.logprob / chosen.tokens - rejected.logprob / rejected.tokens) - gamma;
    const slope = -beta * sigmoid(-margin);
    return { loss: softplus(-margin), chosen: slope / chosen.tokens, rejected: -slope / rejected.tokens };
  };
}

/**
 * −λ·log σ(log odds(y⁺) − log odds(y⁻)) with odds p/(1 − p) of p = exp(log π(y)/|y|); the negative log-likelihood of the chosen
 * response stands beside it (ORPO, arXiv 2403.07691, equations 4 to 7).
 */
function oddsRatio(lambda: number): PairLoss {
  return (chosen, rejected) => {
    const [better, worse] = [logOdds(chosen), logOdds(rejected)];
    const difference = better.value - worse.value;
    const slope = -lambda * sigmoid(-difference);
    return {
      loss: lambda * softplus(-difference),
      chosen: slope * better.slope,
      rejected: -slope * worse.slope,
    };
  };
}

/** Log odds of a response's mean probability a token, and their derivative by its summed logprob. */
function logOdds({ logprob, tokens }: Told): { readonly value: number; readonly slope: number } {
  // Certainty has infinite odds: a mean logprob of 0 is kept a hair below.
  const mean = Math.min(logprob / tokens, -1e-9);
  const other = -Math.expm1(mean);
  return { value: mean - Math.log(other), slope: 1 / (other * tokens) };
}

/**
 * Σ over both responses of (log π(y)/π_ref(y) − η·(P(y beats π_ref) − ½))² (SPPO, arXiv 2405.00675, equation 4.5), where P is the
 * response's reward: a win rate.
 */
function sppo(eta: number): PairLoss {
  const distanceOf = (told: Told): number => ratioOf(told) - eta * (told.reward - 0.5);
  return (chosen, rejected) => {
    const [better, worse] = [distanceOf(chosen), distanceOf(rejected)];
    return { loss: better ** 2 + worse ** 2, chosen: 2 * better, rejected: 2 * worse };
  };
}

/** Adds −α·log π(y⁺)/|y⁺| (iterative RPO, arXiv 2404.19733, equation 1). */
function withLikelihood(loss: PairLoss, alpha: number): PairLoss {
  if (alpha === 0) return loss;
  return (chosen, rejected) => {
    const value = loss(chosen, rejected);
    return {
      loss: value.loss - (alpha * chosen.logprob) / chosen.tokens,
      chosen: value.chosen - alpha / chosen.tokens,
      rejected: value.rejected,
    };
  };
}

const ratioOf = ({ logprob, reference }: Told): number => logprob - reference;

/** 1/(1 + e^−x). */
export function sigmoid(x: number): number {
  return x >= 0 ? 1 / (1 + Math.exp(-x)) : Math.exp(x) / (1 + Math.exp(x));
}

/** log(1 + e^x), without overflow. */
function softplus(x: number): number {
  return Math.max(x, 0) + Math.log1p(Math.exp(-Math.abs(x)));
}
