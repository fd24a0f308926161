import type {
  Datum,
  EngineModel,
  ForwardOptions,
  ForwardResult,
  OptimizerStep,
  SampledSequence,
  SampleRequest,
  Sampler,
  SamplingParameters,
} from "../../src/foundation/contract/index.ts";
import type { Planting } from "./faulty-engine.ts";

type Data = readonly Datum[];

/** Faults in what the trainer is given. */
export function withData(change: (data: Data, options: ForwardOptions) => Data): Planting {
  return {
    model: (inner) => ({
      forward: (data, options) => inner.forward(change(data, options), options),
      forwardBackward: (data, options) => inner.forwardBackward(change(data, options), options),
    }),
  };
}

export function withWeights(change: (weight: number) => number): Planting {
  return withData((data) =>
    data.map((datum) =>
      datum.weights === undefined
        ? datum
        : { ...datum, weights: datum.weights.map((weight) => change(weight)) },
    ),
  );
}

/** Faults in how the trainer is asked. */
export function withForwardOptions(change: (options: ForwardOptions) => ForwardOptions): Planting {
  return {
    model: (inner) => ({
      forward: (data, options) => inner.forward(data, change(options)),
      forwardBackward: (data, options) => inner.forwardBackward(data, change(options)),
    }),
  };
}

/** Faults in what the trainer answers. */
export function withResults(change: (result: ForwardResult, data: Data) => ForwardResult): Planting {
  return {
    model: (inner) => ({
      forward: async (data, options) => change(await inner.forward(data, options), data),
      forwardBackward: async (data, options) => change(await inner.forwardBackward(data, options), data),
    }),
  };
}

export function withStep(change: (step: OptimizerStep) => OptimizerStep): Planting {
  return { model: (inner) => ({ optimStep: (step) => inner.optimStep(change(step)) }) };
}

/** Faults in what a model's snapshots do. */
export function withSnapshots(change: (first: Sampler, model: EngineModel) => Partial<Sampler>): Planting {
  return {
    model: (inner) => ({
      snapshot: async () => {
        const first = await inner.snapshot();
        return {
          id: first.id,
          weightVersion: first.weightVersion,
          sample: (requests) => first.sample(requests),
          logprobs: (sequences) => first.logprobs(sequences),
          [Symbol.asyncDispose]: () => first[Symbol.asyncDispose](),
          ...change(first, inner),
        };
      },
    }),
  };
}

/** Faults in what a sampler is asked. */
export function withRequests(change: (request: SampleRequest, index: number) => SampleRequest): Planting {
  return {
    sampler: (inner) => ({ sample: (requests, options) => inner.sample(requests.map(change), options) }),
  };
}

export function withParameters(change: (parameters: SamplingParameters) => SamplingParameters): Planting {
  return withRequests((request) => ({ ...request, parameters: change(request.parameters) }));
}

/** Faults in what a sampler answers. */
export function withSamples(
  change: (
    sample: SampledSequence,
    request: SampleRequest,
    group: readonly SampledSequence[],
  ) => SampledSequence,
): Planting {
  return {
    sampler: (inner) => ({
      sample: async (requests, options) => {
        const groups = await inner.sample(requests, options);
        return groups.map((group, index) =>
          group.map((sample) => change(sample, requests[index] as SampleRequest, group)),
        );
      },
    }),
  };
}

/** Of so many samples, over all calls, one is another's. */
export function withAnothers(many: number): Planting {
  let [count, last]: [number, SampledSequence | undefined] = [0, undefined];
  return withSamples((sample) => {
    const before = last;
    last = sample;
    count += 1;
    return count % many === 0 && before !== undefined ? before : sample;
  });
}

/** The fault in an engine whose logprobs are as far off as a network's are, in whatever precision they are not rougher. */
export function inNetwork(planting: Planting): Planting {
  const tolerance = { logprob: 1e-4, meanLogprob: 1e-4, gradient: 1e-4 };
  return {
    ...planting,
    engine: (inner) => ({
      capabilities: async () => {
        const capabilities = await inner.capabilities();
        return { ...capabilities, tolerance: { ...capabilities.tolerance, fp32: tolerance } };
      },
    }),
  };
}

/** Without a member, as if it had never been given. */
export function without<T extends object>(value: T, member: keyof T): T {
  const { [member]: _dropped, ...rest } = value;
  return rest as T;
}

/** Numbers a place too late. */
export const shifted = (values: Float32Array): Float32Array =>
  values.map((_, index) => values[Math.max(0, index - 1)] as number);
