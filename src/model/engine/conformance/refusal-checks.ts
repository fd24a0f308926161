import type {
  Datum,
  Loss,
  LossName,
  OptimizerStep,
  Precision,
  SampleRequest,
  SamplingParameters,
} from "../../../foundation/contract/index.ts";
import { assert, assertRefused } from "./assert.ts";
import { type Bench, crossEntropy } from "./bench.ts";
import type { CheckDefinition } from "./check.ts";

const quiet = { loss: crossEntropy, logprobs: "none" } as const;
const none = new Int32Array();
const step = { learningRate: 0.01, weightDecay: 0 };

function outside(bench: Bench, id: number): Int32Array {
  return Int32Array.of(bench.tokens[0] as number, id, bench.tokens[1] as number);
}

/** `learningRate NaN`: JSON has no word for it. */
function described(members: object): string {
  const values = Object.entries(members).map(([name, value]) =>
    typeof value === "number" ? `${name} ${value}` : `${name} ${JSON.stringify(value)}`,
  );
  return values.join(", ");
}

export const refusalChecks: readonly CheckDefinition[] = [
  {
    name: "tokens outside the vocabulary are refused",
    fast: true,
    check: async (bench) => {
      const model = await bench.model();
      const sampler = bench.hold(await model.snapshot());
      const fine = outside(bench, bench.tokens[2] as number);
      const weights = Float32Array.of(1, 1, 1);
      for (const id of [-1, bench.subject.vocabularySize]) {
        const bad = outside(bench, id);
        const refused = (what: string, call: () => Promise<unknown>) =>
          assertRefused(`${what} ${id}`, call, "token-out-of-range");
        await refused("the token", () => model.forward([{ tokens: bad, targets: fine, weights }], quiet));
        await refused("the target", () => model.forward([{ tokens: fine, targets: bad, weights }], quiet));
        await refused("the token", () => sampler.logprobs([bad]));
        await refused("the prompt's token", () =>
          sampler.sample([{ prompt: bad, samples: 1, seed: 1, parameters: { maxTokens: 1 } }]),
        );
      }
    },
  },
  {
    name: "calls that make no sense are refused",
    check: async (bench) => {
      const model = await bench.model();
      const sampler = bench.hold(await model.snapshot());
      const [datum] = bench.weighted([0]);
      if (datum === undefined) return;
      const refused = (what: string, call: () => Promise<unknown>) =>
        assertRefused(what, call, "bad-request");
      const passes: readonly (readonly [string, Datum, Loss])[] = [
        ["a datum without weights", { tokens: datum.tokens, targets: datum.targets }, crossEntropy],
        ["a datum with too few weights", { ...datum, weights: new Float32Array(1) }, crossEntropy],
        ["a datum with too few targets", { ...datum, targets: datum.targets.subarray(1) }, crossEntropy],
        [
          "a datum without tokens",
          { tokens: none, targets: none, weights: new Float32Array() },
          crossEntropy,
        ],
        ["a datum without advantages", datum, { name: "importance_sampling" }],
        [
          "a loss with a factor that it has not",
          datum,
          { name: "cross_entropy", beta: 1 } as unknown as Loss,
        ],
        ["a loss that there is not", datum, { name: "mystery" } as unknown as Loss],
      ];
      for (const [what, bad, loss] of passes)
        await refused(what, () => model.forwardBackward([bad], { loss, logprobs: "none" }));
      const { losses } = bench.capabilities;
      const clips = losses.find((name) => name === "ppo" || name === "cispo" || name === "gspo");
      const policy = { ...datum, advantages: datum.weights, logprobs: datum.weights } as Datum;
      if (clips !== undefined)
        await refused("a lower bound above the upper one", () =>
          model.forwardBackward([policy], {
            loss: { name: clips, clipLow: 2, clipHigh: 1 },
            logprobs: "none",
          }),
        );
      if (losses.includes("importance_sampling"))
        await refused("a datum with bounds, of a loss that clips nothing", () =>
          model.forwardBackward([{ ...policy, clipLow: new Float32Array(policy.tokens.length) }], {
            loss: { name: "importance_sampling" },
            logprobs: "none",
          }),
        );
      const steps: readonly Partial<OptimizerStep>[] = [
        { learningRate: Number.NaN },
        { learningRate: -1 },
        { beta1: 1 },
        { weightDecay: Number.POSITIVE_INFINITY },
      ];
      for (const bad of steps)
        await refused(`a step of ${described(bad)}`, () => model.optimStep({ ...step, ...bad }));
      const request: SampleRequest = {
        prompt: bench.sequence(0),
        samples: 1,
        seed: 1,
        parameters: { maxTokens: 2 },
      };
      const parameters: readonly Partial<SamplingParameters>[] = [
        { maxTokens: 0 },
        { temperature: -1 },
        { temperature: Number.NaN },
        { topP: 0 },
        { topP: 1.5 },
        { minP: 2 },
        { topK: -1 },
        { stopStrings: [""] },
      ];
      const requests: readonly Partial<SampleRequest>[] = [
        { prompt: none },
        { samples: 0 },
        { seed: -1 },
        { seed: 0.5 },
        { seed: 2 ** 48 },
        ...parameters.map((bad) => ({ parameters: { ...request.parameters, ...bad } })),
      ];
      for (const bad of requests)
        await refused(`a request of ${described(bad)}`, () =>
          sampler.sample([request, { ...request, ...bad }]),
        );
      const { gradientNorm, sequence } = await model.optimStep(step);
      assert(gradientNorm === 0, "a refused pass has left a gradient");
      assert(sequence === 2, `call ${sequence} came after a snapshot and calls that were refused`);
    },
  },
  {
    name: "what the engine does not claim is refused, not done otherwise",
    check: async (bench) => {
      const { capabilities, subject } = bench;
      const { engine } = subject;
      const load = (options: object) => () =>
        engine
          .createModel({ source: bench.folder(), ...bench.loading, ...options })
          .then(bench.hold.bind(bench));
      const model = await bench.model();
      const sampler = bench.hold(await model.snapshot());
      const prompt = bench.sequence(0);
      const ask = (parameters: object) => () =>
        sampler.sample([{ prompt, samples: 1, seed: 1, parameters: { maxTokens: 1, ...parameters } }]);
      const precisions: readonly Precision[] = ["fp32", "mixed", "bf16"];
      const lossNames: readonly LossName[] = ["importance_sampling", "ppo", "cispo", "dro", "gspo"];
      const data = bench.data([0], (length) => ({
        advantages: new Float32Array(length),
        logprobs: new Float32Array(length),
      }));
      const more = capabilities.topLogprobs + 1;
      const calls: readonly (readonly [string, boolean, () => Promise<unknown>])[] = [
        ["adapters", capabilities.loraRank === 0, load({ lora: { rank: 1 } })],
        [
          "gradient checkpointing",
          !capabilities.gradientCheckpointing,
          load({ gradientCheckpointing: true }),
        ],
        ...precisions.map(
          (precision) =>
            [precision, !capabilities.precisions.includes(precision), load({ precision })] as const,
        ),
        [
          "sgd",
          !capabilities.optimizers.includes("sgd"),
          () => model.optimStep({ ...step, optimizer: "sgd" }),
        ],
        ["adamw", !capabilities.optimizers.includes("adamw"), () => model.optimStep(step)],
        ["top-k", !capabilities.topK, ask({ topK: 2 })],
        ["top-p", capabilities.topP === false, ask({ topP: 0.5 })],
        ["min-p", capabilities.minP === false, ask({ minP: 0.5 })],
        ["stop strings", !capabilities.stopStrings, ask({ stopStrings: ["a"] })],
        [`${more} most probable tokens`, more <= subject.vocabularySize, ask({ topLogprobs: more })],
        ...lossNames.map(
          (name) =>
            [
              name,
              !capabilities.losses.includes(name),
              () => model.forward(data, { loss: { name }, logprobs: "none" }),
            ] as const,
        ),
      ];
      for (const [what, lacking, call] of calls) if (lacking) await assertRefused(what, call);
    },
  },
];
