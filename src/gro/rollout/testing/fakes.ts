import { userError } from "../../../foundation/base/index.ts";
import type {
  Datum,
  EngineModel,
  Example,
  ExampleWriter,
  ForwardOptions,
  ForwardResult,
  Item,
  OptimizerResult,
  OptimizerStep,
  Policy,
  Rollout,
  SampledSequence,
  SampleRequest,
  Sampler,
  SamplingPolicy,
  SaveOptions,
  ScoredGroup,
  Task,
  Tokenizer,
} from "../../../foundation/contract/index.ts";
import type { PassModels } from "../models.ts";

/** One token a character, its code point; 1 begins and 2 ends. */
export const letters: Tokenizer = {
  name: "letters",
  hash: "letters",
  vocabularySize: 128,
  beginToken: 1,
  endToken: 2,
  encode: (text) => Int32Array.from(text, (letter) => letter.codePointAt(0) ?? 0),
  decode: (tokens) => [...tokens].map((token) => (token > 2 ? String.fromCodePoint(token) : "")).join(""),
  tokenBytes: () => Array.from({ length: 128 }, (_, token) => Uint8Array.of(token)),
};

/** Letters whose model writes `role:content;`, and may also end with 5. */
export const chatty: Tokenizer = {
  ...letters,
  stopTokens: [2, 5],
  chat: {
    render: (messages, { addGenerationPrompt = false } = {}) =>
      messages.map(({ role, content }) => `${role}:${content};`).join("") +
      (addGenerationPrompt ? "assistant:" : ""),
    prompt: (messages) => letters.encode(chatty.chat?.render(messages, { addGenerationPrompt: true }) ?? ""),
    answer: (messages, response) => {
      if (messages.some(({ content }) => content.includes(";")) || response.includes(";"))
        throw userError("special-token-in-text", "A message holds ;.", { token: ";" });
      return Int32Array.of(...letters.encode(response), letters.endToken);
    },
  },
};

export const itemOf = (prompt: string, difficulty = prompt.length): Item => ({
  canonical: prompt,
  prompt,
  answer: [...prompt].reverse().join(""),
  difficulty,
  stratum: `length ${difficulty}`,
  split: "train",
  source: "test",
});

/** A text that ends by itself, or one that the token limit cut off. */
export type Said = string | { readonly text: string; readonly cut?: true; readonly logprob?: number };

/** What is said to a prompt: by which sample, from which numbers. */
export type Speak = (prompt: string, sample: number, request: SampleRequest) => Said;

const sampledLogprob = -0.5;

/** Weights that say what they are told to; each call is kept. */
export class FakeSampler implements Sampler {
  readonly id = "sampler";
  readonly calls: (readonly SampleRequest[])[] = [];
  disposed = false;
  readonly weightVersion: string;
  readonly #speak: Speak;
  /** What `logprobs` finds at every position. */
  readonly #logprob: number;

  constructor(speak: Speak, weightVersion = "model@0", logprob = sampledLogprob) {
    this.#speak = speak;
    this.weightVersion = weightVersion;
    this.#logprob = logprob;
  }

  async sample(requests: readonly SampleRequest[]): Promise<SampledSequence[][]> {
    this.calls.push(requests);
    return requests.map((request) =>
      Array.from({ length: request.samples }, (_, sample) => {
        const said = this.#speak(letters.decode(request.prompt), sample, request);
        const { text, cut, logprob = sampledLogprob } = typeof said === "string" ? { text: said } : said;
        const tokens = [...letters.encode(text), ...(cut ? [] : [letters.endToken])];
        return {
          tokens: Int32Array.from(tokens),
          logprobs: new Float32Array(tokens.length).fill(logprob),
          stopReason: cut ? ("length" as const) : ("stop" as const),
        };
      }),
    );
  }

  async logprobs(sequences: readonly Int32Array[]): Promise<Float32Array[]> {
    return sequences.map(({ length }) => {
      const logprobs = new Float32Array(length).fill(this.#logprob);
      logprobs[0] = Number.NaN;
      return logprobs;
    });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.disposed = true;
  }
}

/** Of a pass whose parts ask nobody else. */
export const noModels: PassModels = {
  copy: () => Promise.reject(new Error("nothing is copied here")),
  policyOf: (role) => {
    throw new Error(`nobody plays ${role} here`);
  },
  reference: (role, which) => Promise.reject(new Error(`no weights of ${role} at ${which} here`)),
};

export const samplingOf = (speak: Speak, role = "solver"): SamplingPolicy & { sampler: FakeSampler } => ({
  role,
  sampler: new FakeSampler(speak),
  tokenizer: letters,
});

export interface FakeModelOptions {
  readonly speak?: Speak;
  readonly weights?: string;
  /** What the trainer, and a sampler of it, compute for every token. */
  readonly trainerLogprob?: number;
  readonly samplerLogprob?: number;
}

/** Weights that count what is done to them. */
export class FakeModel implements EngineModel {
  readonly id = "model";
  readonly info = { parameters: 10, vocabularySize: 128, step: 0 };
  /** Verbs, in the order in which they were called. */
  readonly log: string[] = [];
  readonly trained: { readonly data: readonly Datum[]; readonly options: ForwardOptions }[] = [];
  readonly steps: OptimizerStep[] = [];
  readonly saved: string[] = [];
  readonly savedOptimizer: boolean[] = [];
  readonly samplers: FakeSampler[] = [];
  disposed = false;
  /** While set, trained batches wait for it: an engine that is slow. */
  wait: Promise<void> = Promise.resolve();
  readonly #options: FakeModelOptions;

  constructor(options: FakeModelOptions = {}) {
    this.#options = options;
  }

  get weights(): string {
    return `${this.#options.weights ?? "model"}@${this.steps.length}`;
  }

  async forward(data: readonly Datum[]): Promise<ForwardResult> {
    this.log.push("forward");
    return this.#result(data, this.#options.trainerLogprob ?? sampledLogprob);
  }

  async forwardBackward(data: readonly Datum[], options: ForwardOptions): Promise<ForwardResult> {
    this.log.push("forwardBackward");
    this.trained.push({ data, options });
    await this.wait;
    // Of the batch alone: what is trained again after a death has the same loss.
    const lossSum = (data[0]?.tokens[0] ?? 0) / 100;
    return { ...this.#result([], 0), lossSum };
  }

  async optimStep(options: OptimizerStep): Promise<OptimizerResult> {
    this.log.push("optimStep");
    this.steps.push(options);
    await this.wait;
    return { sequence: this.log.length, step: this.steps.length, gradientNorm: 1 };
  }

  async save({ path, optimizer = true }: SaveOptions) {
    this.log.push("save");
    this.saved.push(path);
    this.savedOptimizer.push(optimizer);
    return { sequence: this.log.length, path, bytes: 1 };
  }

  async snapshot(): Promise<Sampler> {
    this.log.push("snapshot");
    const { speak = () => "", samplerLogprob } = this.#options;
    const sampler = new FakeSampler(speak, this.weights, samplerLogprob);
    this.samplers.push(sampler);
    return sampler;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.disposed = true;
  }

  #result(data: readonly Datum[], logprob: number): ForwardResult {
    return {
      sequence: this.log.length,
      lossSum: 0,
      positions: 0,
      logprobs: data.map(({ tokens }) => new Float32Array(tokens.length).fill(logprob)),
    };
  }
}

export const policyOf = (model: EngineModel, role = "solver"): Policy => ({
  role,
  model,
  tokenizer: letters,
});

/** A finished attempt, as `attempt()` would make it. */
export function rolloutOf(
  item: Item,
  said: Said,
  options: { role?: string; logprobs?: number[] } = {},
): Rollout {
  const { text, cut, logprob = sampledLogprob } = typeof said === "string" ? { text: said } : said;
  const tokens = Int32Array.from([...letters.encode(text), ...(cut ? [] : [letters.endToken])]);
  const logprobs = Float32Array.from(options.logprobs ?? Array.from(tokens, () => logprob));
  return {
    item,
    role: options.role ?? "solver",
    weightVersion: "model@0",
    segments: [
      { kind: "context", tokens: Int32Array.from([1, ...letters.encode(item.prompt)]) },
      { kind: "sampled", tokens, logprobs },
    ],
    response: { text, complete: cut !== true },
    temperature: 1,
    seed: 0,
    sample: 0,
  };
}

/** An example that no model wrote, unless the rest says who did. */
export const exampleLike = (rest: Partial<Example> = {}): Example => ({
  context: Int32Array.of(1),
  response: Int32Array.of(50, 2),
  item: "",
  difficulty: 1,
  prompt: "",
  answer: "2",
  source: "test",
  writer: null,
  ...rest,
});

/** The writer of an example that a model wrote. */
export const someWriter: ExampleWriter = {
  role: "solver",
  sample: 0,
  group: 0,
  rollout: 0,
  artifact: null,
};

/** A group of attempts of one role with their rewards. */
export function groupOf(
  prompt: string,
  attempts: readonly (readonly [Said, number | null])[],
  role = "solver",
): ScoredGroup {
  const item = itemOf(prompt);
  return {
    item,
    rollouts: attempts.map(([said, reward]) => ({
      rollout: rolloutOf(item, said, { role }),
      reward,
      parts: {},
    })),
  };
}

/** Whose responses are judged by asking `prompt>text?`, to be answered by y or n. */
export const judgedByLetter = (task: Task): Task => ({
  ...task,
  prompts: {
    judge: ({ prompt }, { text }) => ({ prompt: `${prompt}>${text}?` }),
    verdictWords: ["y", "n"],
  },
});
