import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type {
  Datum,
  EngineCapabilities,
  EngineModel,
  LoadOptions,
  LoraOptions,
  Loss,
  ModelSource,
  OptimizerStep,
  Precision,
  Sampler,
  TokenIds,
  Tolerance,
} from "../../../foundation/contract/index.ts";
import { assert, type Closeness, type Recorder } from "./assert.ts";
import { lineOfChance, linesOf } from "./lines.ts";
import type { ConformanceSubject, Measurement } from "./subject.ts";

export const crossEntropy: Loss = { name: "cross_entropy" };

/** Above this, a logprob tells little by itself. */
const roughFrom = 0.01;

/** Between logprobs that are equal, of what states this. */
export const closenessOf = ({ logprob: each, meanLogprob }: Tolerance): Closeness => ({
  each,
  mean: each > roughFrom ? meanLogprob : each,
});

export const isRough = ({ tolerance }: EngineCapabilities, precision: Precision): boolean =>
  tolerance[precision].logprob > roughFrom;

/** Found out of a subject once, for all checks. */
function once<T, Rest extends readonly unknown[]>(
  find: (subject: ConformanceSubject, ...rest: Rest) => Promise<T>,
): typeof find {
  const found = new WeakMap<ConformanceSubject, Promise<T>>();
  return (subject, ...rest) => {
    const one = found.get(subject) ?? find(subject, ...rest);
    found.set(subject, one);
    return one;
  };
}

/** What the engine says of a subject. Its tolerance is a model's own where the model says it: an engine's spans all of a precision. */
export const capabilitiesOf = once(ask);

/** What a trained model says; of one that is drawn all lines are as good. */
export const linesOfSubject = once(write);

async function write(
  subject: ConformanceSubject,
  capabilities: EngineCapabilities,
): Promise<readonly TokenIds[]> {
  if (subject.trained !== true) return [];
  await using bench = new Bench(subject, capabilities);
  try {
    return await linesOf(await bench.sampler(), bench.tokens);
  } catch {
    // What is sampled has checks of its own; the others take lines of chance.
    return [];
  }
}

async function ask(subject: ConformanceSubject): Promise<EngineCapabilities> {
  const capabilities = await subject.engine.capabilities();
  const precision = subject.precision ?? "fp32";
  if (!isRough(capabilities, precision)) return capabilities;
  await using bench = new Bench(subject, capabilities);
  const { tolerance } = (await bench.model()).info;
  if (tolerance === undefined) return capabilities;
  return { ...capabilities, tolerance: { ...capabilities.tolerance, [precision]: tolerance } };
}

/** Data, models and measurements for one check; gives back what it took. */
export class Bench implements AsyncDisposable, Recorder {
  readonly subject: ConformanceSubject;
  readonly capabilities: EngineCapabilities;
  readonly tokens: readonly number[];
  readonly precision: Precision;
  readonly #stride: number;
  #strode = false;
  /** The first sequences; what comes after is of chance. */
  readonly lines: readonly TokenIds[];
  readonly #held: AsyncDisposable[] = [];
  #folder: string | undefined;
  #worst: Measurement | undefined;

  constructor(
    subject: ConformanceSubject,
    capabilities: EngineCapabilities,
    stride = 1,
    lines: readonly TokenIds[] = [],
  ) {
    this.subject = subject;
    this.capabilities = capabilities;
    this.#stride = stride;
    this.lines = lines;
    this.precision = subject.precision ?? "fp32";
    this.tokens = subject.tokens ?? Array.from({ length: subject.vocabularySize }, (_, id) => id);
  }

  record(measurement: Measurement): void {
    const nearness = ({ measured, tolerance }: Measurement): number =>
      measured === 0 ? 0 : measured / tolerance;
    if (this.#worst === undefined || nearness(measurement) > nearness(this.#worst)) this.#worst = measurement;
  }

  /** The comparison that came nearest to its tolerance. */
  get worst(): Measurement | undefined {
    return this.#worst;
  }

  /** How many times as far as usual steps go. */
  get stride(): number {
    this.#strode = true;
    return this.#stride;
  }

  /** Whether any step went as far as that. */
  get strode(): boolean {
    return this.#strode;
  }

  /** Whether single logprobs may be so far off that only many of them tell anything. */
  get rough(): boolean {
    return isRough(this.capabilities, this.precision);
  }

  /** Between logprobs that are equal. */
  get logprobCloseness(): Closeness {
    return closenessOf(this.#stated);
  }

  /** Between losses, which are sums of logprobs, relative to their size; `times` is how many logprobs may be off alike. */
  lossTolerance(times = 1): number {
    const { logprob, meanLogprob } = this.#stated;
    return this.rough ? meanLogprob : times * logprob;
  }

  /** Between gradients that are equal, relative to their size. */
  get gradientTolerance(): number {
    return this.#stated.gradient;
  }

  /** Between gradients that are equal by their formulas, and computed from logprobs in other ways. */
  derivedTolerance(times = 1): number {
    const { meanLogprob, gradient } = this.#stated;
    return this.rough ? 3 * meanLogprob + gradient : times * this.trainedCloseness.each;
  }

  /** Between logprobs of weights that the same gradients led to. */
  get trainedCloseness(): Closeness {
    const { logprob, meanLogprob, gradient } = this.#stated;
    if (this.rough) return { each: 2 * logprob, mean: 2 * meanLogprob + gradient };
    const tolerance = Number((10 * Math.max(logprob, gradient)).toPrecision(3));
    return { each: tolerance, mean: tolerance };
  }

  /** Lines to look at: where logprobs are rough so many that none which is far off decides how far they are on average. */
  get several(): readonly number[] {
    return Array.from({ length: this.rough ? 32 : 4 }, (_, index) => index);
  }

  /** How many of so many samples may differ where they should be the same: that takes a tie, and ties are rare. */
  ties(samples: number): number {
    return Math.floor(samples / (this.rough ? 4 : 15));
  }

  get #stated(): Tolerance {
    return this.capabilities.tolerance[this.precision];
  }

  /** A new path that does not exist. */
  async path(name: string): Promise<string> {
    this.#folder ??= await mkdtemp(join(tmpdir(), "whetstone-conformance-"));
    return join(this.#folder, name);
  }

  /** Equal seeds give equal weights. */
  model(seed = 1, lora = this.subject.lora): Promise<EngineModel> {
    return this.modelFrom(this.folder(seed), lora);
  }

  /** A model that the caller gives back. */
  unheld(seed = 1, lora = this.subject.lora): Promise<EngineModel> {
    const { engine } = this.subject;
    const adapters = lora === undefined ? {} : { lora };
    return engine.createModel({ source: this.folder(seed), ...this.loading, ...adapters });
  }

  folder(seed = 1): ModelSource {
    const { modelFolder: path, trained, remote } = this.subject;
    // With a seed an engine would draw where it finds no weights.
    return { kind: "folder", path, ...(trained === true && remote !== true ? {} : { seed }) };
  }

  /** The subject's adapters come on top of a folder; a checkpoint says itself whether it is of any. */
  async modelFrom(
    source: ModelSource,
    lora: LoraOptions | undefined = source.kind === "folder" ? this.subject.lora : undefined,
  ): Promise<EngineModel> {
    const adapters = lora === undefined ? {} : { lora };
    const model = await this.subject.engine.createModel({ source, ...this.loading, ...adapters });
    return this.hold(
      this.capabilities.untold?.includes("gradient-norm") === true ? withoutNorm(model) : model,
    );
  }

  async sampler(seed = 1): Promise<Sampler> {
    const source = this.folder(seed);
    return this.hold(await this.subject.engine.loadSampler({ source, ...this.loading }));
  }

  /** How everything is loaded that is loaded. */
  get loading(): Pick<LoadOptions, "precision" | "tokenBytes"> {
    return { precision: this.precision, tokenBytes: this.tokenBytes() };
  }

  hold<T extends AsyncDisposable>(value: T): T {
    this.#held.push(value);
    return value;
  }

  /** `[id]` for each id, so that no token's bytes are a part of another's. */
  tokenBytes(): readonly Uint8Array[] {
    return Array.from({ length: this.subject.vocabularySize }, (_, id) => Buffer.from(`[${id}]`));
  }

  /** Different sequences of different lengths: 3 to 9 tokens. */
  sequence(index: number): TokenIds {
    return this.lines[index]?.slice() ?? lineOfChance(this.tokens, index);
  }

  /** Data of {@link sequence}, each position predicting the next token. */
  data(indices: readonly number[], members: (length: number) => Omit<Datum, "tokens" | "targets">): Datum[] {
    return indices.map((index) => {
      const whole = this.sequence(index);
      const tokens = whole.subarray(0, -1);
      return { tokens, targets: whole.subarray(1), ...members(tokens.length) };
    });
  }

  weighted(indices: readonly number[], weight = 1): Datum[] {
    return this.data(indices, (length) => ({ weights: new Float32Array(length).fill(weight) }));
  }

  /**
   * The same sequences with other targets. Where these are learned, the usual ones lose probability without end, which to gain
   * would end at one.
   */
  astray(indices: readonly number[], weight = 1): Datum[] {
    const { tokens } = this;
    const next = (id: number): number => tokens[(tokens.indexOf(id) + 1) % tokens.length] as number;
    return this.weighted(indices, weight).map((datum) => ({ ...datum, targets: datum.targets.map(next) }));
  }

  /** The same sequences, every position of weight 1. */
  unweighted(data: readonly Datum[]): Datum[] {
    return data.map(({ tokens, targets }) => ({
      tokens,
      targets,
      weights: new Float32Array(tokens.length).fill(1),
    }));
  }

  /** The logprob of every target, datum by datum, as the trainer computes it. */
  async logprobs(model: EngineModel, data: readonly Datum[]): Promise<number[]> {
    const { logprobs } = await model.forward(this.unweighted(data), { loss: crossEntropy, logprobs: "all" });
    return logprobs.flatMap((values) => Array.from(values));
  }

  /** What a sampler gives {@link several} lines, without their first tokens. */
  async scores(sampler: Sampler): Promise<number[]> {
    const all = await sampler.logprobs(this.several.map((index) => this.sequence(index)));
    for (const values of all) assert(Number.isNaN(values[0] as number), "a first token has a logprob");
    return all.flatMap((values) => Array.from(values.subarray(1)));
  }

  /** The norm of what has been accumulated. Uses it up, and changes no weight. */
  async gradientNorm(model: EngineModel): Promise<number> {
    const { gradientNorm } = await model.optimStep({ learningRate: 0, weightDecay: 0 });
    return gradientNorm;
  }

  /** A step of adamw without decay. */
  step(learningRate: number, more: Partial<OptimizerStep> = {}): OptimizerStep {
    return { learningRate: this.stride * learningRate, weightDecay: 0, ...more };
  }

  /** A step that moves weights smoothly with the gradient: AdamW's first one is otherwise but its sign, noise included. */
  gentle(learningRate: number): OptimizerStep {
    return this.capabilities.optimizers.includes("sgd")
      ? this.step(learningRate / 20, { optimizer: "sgd" })
      : this.step(learningRate, { optimizer: "adamw", epsilon: 1 });
  }

  /** Plain descent: an epsilon far above any gradient makes AdamW's first step m/(√v + ε) ≈ g/ε, whatever else it is. */
  descent(distance: number): OptimizerStep {
    if (!this.capabilities.optimizers.includes("adamw"))
      return { optimizer: "sgd", learningRate: distance, weightDecay: 0 };
    const epsilon = 1e6;
    return {
      optimizer: "adamw",
      learningRate: distance * epsilon,
      epsilon,
      weightDecay: 0,
      beta1: 0,
      beta2: 0,
    };
  }

  /** Probabilities of every id after a prefix. */
  async distribution(sampler: Sampler, prefix: TokenIds): Promise<number[]> {
    const { vocabularySize } = this.subject;
    const sequences = Array.from({ length: vocabularySize }, (_, id) => Int32Array.of(...prefix, id));
    return (await sampler.logprobs(sequences)).map((values) => Math.exp(values.at(-1) as number));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all(this.#held.map((held) => held[Symbol.asyncDispose]()));
    if (this.#folder !== undefined) await rm(this.#folder, { recursive: true });
  }
}

/** Thrown where a check looks at a number that the engine says it does not tell. */
export const normUntold = Symbol("the gradient's norm is not told");

/** What needs no norm is checked all the same. */
function withoutNorm(model: EngineModel): EngineModel {
  const optimStep: EngineModel["optimStep"] = async (options) => {
    const result = await model.optimStep(options);
    return Object.defineProperty({ ...result }, "gradientNorm", {
      get: () => {
        throw normUntold;
      },
    });
  };
  return new Proxy(model, {
    get: (target, name) => {
      if (name === "optimStep") return optimStep;
      const member: unknown = Reflect.get(target, name, target);
      return typeof member === "function" ? member.bind(target) : member;
    },
  });
}
