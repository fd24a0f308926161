import type { Datum, EngineModel, Precision, SampledSequence, SampleRequest } from "whetstone";
import type { EngineBench } from "./engine-bench.ts";
import { hasNativeBf16 } from "./native.ts";
import { fastest, pairedRatio } from "./paired.ts";
import { Peer, type PeerDevice, processesOn, threadsOf, whereFastest } from "./peer.ts";
import type { Row } from "./row.ts";

interface Grpo {
  readonly prompts: number;
  readonly samples: number;
  readonly newTokens: number;
  readonly device: PeerDevice;
  readonly bar: number | null;
}

const promptTokens = 40;
const onHost: Grpo = { prompts: 2, samples: 8, newTokens: 64, device: "cpu", bar: 2 };
const onGpu: Grpo = { prompts: 16, samples: 16, newTokens: 128, device: "cuda", bar: null };

/** Whole steps of policy optimisation with groups (arXiv 2402.03300), β = 0: drawn, judged and learned from; all weights, then adapters. */
export async function grpoRows(bench: EngineBench): Promise<Row[]> {
  const precisions: readonly Precision[] = hasNativeBf16() ? ["fp32", "mixed"] : ["fp32"];
  const rows: Row[] = [];
  for (const precision of precisions)
    for (const rank of [0, 32]) rows.push(await rowOf(onHost, precision, rank, bench));
  return rows;
}

export async function gpuGrpoRows(bench: EngineBench): Promise<Row[]> {
  const rows: Row[] = [];
  for (const rank of [0, 32]) rows.push(await rowOf(onGpu, "mixed", rank, bench));
  return rows;
}

async function rowOf(
  sizes: Grpo,
  precision: Precision,
  rank: number,
  { engine, model, environment, rounds }: EngineBench,
): Promise<Row> {
  const { prompts, samples, newTokens, device, bar } = sizes;
  const start = (processes: number): Promise<Peer> =>
    Peer.start({
      environment,
      script: "grpo.py",
      processes,
      threads: threadsOf(processes),
      together: processes > 1,
      options: {
        model: model.path,
        precision: precision === "fp32" ? "fp32" : "bf16",
        rank,
        prompts: prompts / processes,
        samples,
        prompt: promptTokens,
        tokens: newTokens,
        warm: 1,
        steps: 1,
        device,
      },
    });
  const processes = await fastest(processesOn(device), async (count) => {
    await using peer = await start(count);
    return await peer.turn();
  });
  await using trained = await engine.createModel({
    source: { kind: "folder", path: model.path },
    precision,
    ...(rank === 0 ? {} : { lora: { rank } }),
  });
  let steps = 0;
  const ours = async (): Promise<number> => {
    const begun = performance.now();
    const drawn = await grpoStep(sizes, trained, ++steps);
    return (drawn / (performance.now() - begun)) * 1000;
  };
  await ours();
  await using peer = await start(processes);
  const { trl, transformers } = environment.versions;
  return {
    work: `a GRPO step of ${rank === 0 ? "all weights" : `adapters of rank ${rank}`} in ${precision}`,
    against: `TRL ${trl} GRPOTrainer`,
    setting: `${model.label}; ${prompts} prompts of ${promptTokens} tokens, ${samples} samples of ${newTokens} each, no β; transformers ${transformers}, ${whereFastest(device, processes)}`,
    ratio: await pairedRatio(ours, () => peer.turn(), rounds),
    bar,
  };
}

/** Returns how many tokens were drawn. */
async function grpoStep(
  { prompts, samples, newTokens }: Grpo,
  model: EngineModel,
  step: number,
): Promise<number> {
  const requests = Array.from(
    { length: prompts },
    (_, index): SampleRequest => ({
      prompt: Int32Array.from(
        { length: promptTokens },
        (_, place) => 10 + ((step * 499 + index * 97 + place * 31) % 9000),
      ),
      samples,
      seed: step * prompts + index,
      parameters: { maxTokens: newTokens },
    }),
  );
  await using sampler = await model.snapshot();
  const groups = await sampler.sample(requests);
  const data = groups.flatMap((group, index) => {
    const rewards = group.map(({ tokens }) => (tokens.reduce((sum, token) => sum + token, 0) % 97) / 97);
    const mean = rewards.reduce((sum, one) => sum + one, 0) / samples;
    const spread = Math.sqrt(rewards.reduce((sum, one) => sum + (one - mean) ** 2, 0) / samples);
    return group.map((sample, place) =>
      datumOf(
        (requests[index] as SampleRequest).prompt,
        sample,
        ((rewards[place] as number) - mean) / (spread + 1e-4) / (prompts * samples * newTokens),
      ),
    );
  });
  await Promise.all([
    model.forwardBackward(data, { loss: { name: "ppo" }, logprobs: "none" }),
    model.optimStep({ learningRate: 1e-6, gradientClipNorm: 1 }),
  ]);
  const drawn = groups.flat().reduce((sum, { tokens }) => sum + tokens.length, 0);
  if (drawn !== prompts * samples * newTokens) throw new Error(`the engine drew ${drawn} tokens`);
  return drawn;
}

function datumOf(prompt: Int32Array, { tokens, logprobs }: SampledSequence, advantage: number): Datum {
  const line = Int32Array.of(...prompt, ...tokens);
  const length = line.length - 1;
  const first = prompt.length - 1;
  const behaviour = new Float32Array(length);
  behaviour.set(logprobs, first);
  return {
    tokens: line.subarray(0, -1),
    targets: line.subarray(1),
    advantages: new Float32Array(length).fill(advantage, first),
    logprobs: behaviour,
    mask: new Float32Array(length).fill(1, first),
  };
}
