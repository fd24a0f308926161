import type { Example } from "../../foundation/contract/index.ts";
import type { PassModels, ReferenceWeights } from "../rollout/index.ts";

/** Sequences that travel to the engine in one call. */
const sequencesPerCall = 512;

export interface ReferenceRequest {
  readonly models: Pick<PassModels, "reference">;
  readonly role: string;
  readonly which: ReferenceWeights;
  readonly signal?: AbortSignal;
}

/** What earlier weights give to each response after its own context: a logprob a token of the response, in nats. */
export async function referenceLogprobs(
  examples: Iterable<Example>,
  { models, role, which, signal }: ReferenceRequest,
): Promise<ReadonlyMap<Example, Float32Array>> {
  const distinct = [...new Set(examples)];
  if (distinct.length === 0) return new Map();
  const { sampler } = await models.reference(role, which);
  const told = new Map<Example, Float32Array>();
  for (let start = 0; start < distinct.length; start += sequencesPerCall) {
    const part = distinct.slice(start, start + sequencesPerCall);
    const wholes = part.map(({ context, response }) => Int32Array.from([...context, ...response]));
    const logprobs = await sampler.logprobs(wholes, signal ? { signal } : {});
    part.forEach((example, index) => {
      told.set(example, (logprobs[index] ?? new Float32Array()).subarray(example.context.length));
    });
  }
  return told;
}

/** log π_ref(y|x) of each example: the sum over its response. */
export async function referenceSums(
  examples: Iterable<Example>,
  request: ReferenceRequest,
): Promise<ReadonlyMap<Example, number>> {
  const told = await referenceLogprobs(examples, request);
  return new Map([...told].map(([example, logprobs]) => [example, sumOf(logprobs)]));
}

/** In double precision, whatever it is given in. */
export function sumOf(values: ArrayLike<number>, start = 0): number {
  let sum = 0;
  for (let index = start; index < values.length; index++) sum += values[index] as number;
  return sum;
}
