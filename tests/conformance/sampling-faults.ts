import type { Sampler } from "../../src/foundation/contract/index.ts";
import type { Fault } from "./fault.ts";
import {
  inNetwork,
  shifted,
  withAnothers,
  without,
  withParameters,
  withRequests,
  withResults,
  withSamples,
  withSnapshots,
} from "./plantings.ts";

const inSamplers: readonly Fault[] = [
  {
    fault: "a sampler's logprobs are a place too late",
    caughtBy: "a sampler's logprobs are the trainer's",
    planting: {
      sampler: (inner) => ({
        logprobs: async (sequences) => (await inner.logprobs(sequences)).map(shifted),
      }),
    },
  },
  {
    fault: "the seed of weights is ignored",
    caughtBy: "equal seeds draw equal weights, other seeds others",
    planting: {
      load: (options) => ({
        ...options,
        source: options.source.kind === "folder" ? { ...options.source, seed: 0 } : options.source,
      }),
    },
  },
  {
    fault: "a sampler is live",
    caughtBy: "a sampler keeps its weights while the model learns",
    planting: withSnapshots((_first, model) => ({
      sample: async (requests) => await (await model.snapshot()).sample(requests),
      logprobs: async (sequences) => await (await model.snapshot()).logprobs(sequences),
    })),
  },
  {
    fault: "a sampler draws by the newest weights, and tells logprobs by its own",
    caughtBy: "a sampler keeps its weights while the model learns",
    planting: withSnapshots((_first, model) => ({
      sample: async (requests) => await (await model.snapshot()).sample(requests),
    })),
  },
  {
    fault: "what is sampled from takes the model's place",
    caughtBy: "a sampler keeps its weights while the model learns",
    planting: withSnapshots((first, model) => ({
      logprobs: async (sequences) => {
        await model.optimStep({ learningRate: 1, weightDecay: 1 });
        return await first.logprobs(sequences);
      },
    })),
  },
  {
    fault: "a sampler is stale",
    caughtBy: "a new sampler has the newest weights, and says which",
    planting: {
      model: (inner) => {
        let first: Promise<Sampler> | undefined;
        return {
          snapshot: () => {
            first ??= inner.snapshot();
            return first;
          },
        };
      },
    },
  },
];

const inSamples: readonly Fault[] = [
  {
    fault: "the trainer's logprobs are a place too late",
    caughtBy: "a sampled logprob is the recomputed one",
    planting: withResults((result) => ({ ...result, logprobs: result.logprobs.map(shifted) })),
  },
  {
    fault: "logprobs are those of the temperature",
    caughtBy: "a sampled logprob is the recomputed one",
    planting: withSamples((sample, { parameters: { temperature = 1 } }) =>
      temperature === 0 || temperature === 1
        ? sample
        : { ...sample, logprobs: sample.logprobs.map((logprob) => logprob * temperature) },
    ),
  },
  {
    fault: "temperature 0 is taken for none given",
    caughtBy: "temperature 0 takes the likeliest token",
    planting: withParameters((parameters) => ({ ...parameters, temperature: parameters.temperature || 1 })),
  },
  ...(["temperature", "topK", "topP", "minP"] as const).map((member) => ({
    fault: `${member} is ignored`,
    caughtBy: "samples follow the distribution, its temperature and its filters",
    planting: withParameters((parameters) => without(parameters, member)),
  })),
  {
    fault: "seeds depend on the place in the batch",
    caughtBy: "a seed gives the same samples in any batch",
    planting: withRequests((request, index) => ({ ...request, seed: request.seed + index })),
  },
  {
    fault: "one sample in thirty is another's",
    caughtBy: "a seed gives the same samples in any batch",
    planting: inNetwork(withAnothers(30)),
    inBf16: withAnothers(3),
  },
  {
    fault: "seeds are ignored",
    caughtBy: "other seeds, samples and positions have other numbers",
    planting: withRequests((request) => ({ ...request, seed: 0 })),
  },
  {
    fault: "all samples of a request have the same numbers",
    caughtBy: "other seeds, samples and positions have other numbers",
    planting: withSamples((_sample, _request, group) => group[0] as (typeof group)[number]),
  },
  {
    fault: "all requests have the longest one's limit",
    caughtBy: "a sample has as many tokens as it may",
    planting: {
      sampler: (inner) => ({
        sample: (requests) => {
          const maxTokens = Math.max(...requests.map(({ parameters }) => parameters.maxTokens));
          return inner.sample(
            requests.map((request) => ({ ...request, parameters: { ...request.parameters, maxTokens } })),
          );
        },
      }),
    },
  },
  {
    fault: "stop tokens are dropped",
    caughtBy: "a stop token ends a sample, and is its last token",
    planting: withSamples((sample) =>
      sample.stopReason === "stop"
        ? { ...sample, tokens: sample.tokens.slice(0, -1), logprobs: sample.logprobs.slice(0, -1) }
        : sample,
    ),
  },
  {
    fault: "stop tokens are ignored",
    caughtBy: "a stop token ends a sample, and is its last token",
    planting: withParameters((parameters) => without(parameters, "stopTokens")),
  },
  {
    fault: "stop strings are ignored",
    caughtBy: "a stop string ends a sample with the token that completes it",
    planting: withParameters((parameters) => without(parameters, "stopStrings")),
  },
  {
    fault: "stops change the numbers",
    caughtBy: "a stop that does not come changes nothing",
    planting: withRequests((request) =>
      request.parameters.stopTokens === undefined ? request : { ...request, seed: request.seed + 1 },
    ),
  },
];

export const samplingFaults: readonly Fault[] = [...inSamplers, ...inSamples];
