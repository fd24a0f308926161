import { hash } from "node:crypto";
import {
  type Datum,
  type Demonstration,
  type Example,
  type ExampleWriter,
  type Rollout,
  readSource,
  type Tokenizer,
} from "../../foundation/contract/index.ts";
import { contextTokens, responseTokens } from "./context.ts";

/** Where a rollout stands among the groups that it was made with. */
export type RolloutPlace = Pick<ExampleWriter, "group" | "rollout" | "artifact">;

const unplaced: RolloutPlace = { group: 0, rollout: 0, artifact: null };

/** What was sampled, trained on as it is: never re-tokenised. `place` says where the rollout stands among its groups. */
export function exampleOfRollout(rollout: Rollout, place: RolloutPlace = unplaced): Example {
  const [context, sampled] = rollout.segments;
  const { item, role, sample, stored = place } = rollout;
  return {
    context: rollout.learnAfter ?? context?.tokens ?? new Int32Array(),
    response: sampled?.tokens ?? new Int32Array(),
    item: item.canonical,
    difficulty: item.difficulty,
    prompt: item.prompt,
    answer: rollout.response.text,
    source: item.source,
    writer: { role, sample, ...stored },
  };
}

/** An answer that was written by someone: asked as the model would be, said as the model would say it. */
export function exampleOfDemonstration(tokenizer: Tokenizer, { item, response }: Demonstration): Example {
  return {
    context: contextTokens(tokenizer, item),
    response: responseTokens(tokenizer, item, response),
    item: item.canonical,
    difficulty: item.difficulty,
    prompt: item.prompt,
    answer: response,
    source: item.source,
    writer: null,
  };
}

/**
 * Whether data that no model wrote is all that an example's trained tokens come from: its response was written by the task, a
 * file or a person, and so was what it answers. The definition of real share (design §7), for one example.
 */
export function isReal({ writer, source }: Pick<Example, "writer" | "source">): boolean {
  return writer === null && readSource(source).kind !== "model";
}

/** Its identity, 32 hexadecimal digits: examples with the same context and response have one, whoever wrote them. */
export function exampleId({ context, response }: Pick<Example, "context" | "response">): string {
  const ids = new Int32Array(1 + context.length + response.length);
  ids[0] = context.length;
  ids.set(context, 1);
  ids.set(response, 1 + context.length);
  return hash("sha256", ids, "hex").slice(0, 32);
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
