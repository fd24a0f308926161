import type { Datum, Demonstration, Example, Rollout, Tokenizer } from "../../foundation/contract/index.ts";
import { contextTokens, responseTokens } from "./context.ts";

/** What was sampled, trained on as it is: never re-tokenised. */
export function exampleOfRollout(rollout: Rollout): Example {
  const [context, sampled] = rollout.segments;
  return {
    context: context?.tokens ?? new Int32Array(),
    response: sampled?.tokens ?? new Int32Array(),
    item: rollout.item.canonical,
    difficulty: rollout.item.difficulty,
    origin: rollout.weightVersion,
  };
}

/** An answer that was written by someone: asked as the model would be, said as the model would say it. */
export function exampleOfDemonstration(tokenizer: Tokenizer, { item, response }: Demonstration): Example {
  return {
    context: contextTokens(tokenizer, item),
    response: responseTokens(tokenizer, item, response),
    item: item.canonical,
    difficulty: item.difficulty,
    origin: "demonstration",
  };
}

/** The positions of an example and what each predicts, before any loss: `start` is the first that predicts the response. */
export function positionsOf(example: Example): { tokens: Int32Array; targets: Int32Array; start: number } {
  const { context, response } = example;
  const whole = new Int32Array(context.length + response.length);
  whole.set(context);
  whole.set(response, context.length);
  return { tokens: whole.subarray(0, -1), targets: whole.subarray(1), start: context.length - 1 };
}

/** A datum whose response positions all have one weight. */
export function weightedDatum(example: Example, weight: number): Datum {
  const { tokens, targets, start } = positionsOf(example);
  return { tokens, targets, weights: new Float32Array(tokens.length).fill(weight, start) };
}
