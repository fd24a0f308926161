import type { Datum, EngineModel, Precision, SampledSequence, SampleRequest } from "whetstone";
import type { EngineBench } from "./engine-bench.ts";
import type { PeerEnvironment } from "./environment.ts";
import { GpuMonitor, type WatchedTurn } from "./gpu-use.ts";
import { hasNativeBf16 } from "./native.ts";
import { fastest, pairedRatio, type Turn } from "./paired.ts";
import { productsOf, startProducts } from "./peak.ts";
import { Peer, type PeerDevice, processesOn, threadsOf, where, whereFastest } from "./peer.ts";
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

/** Against TRL as it is and with vLLM on the same GPU, and how much of the GPU each of the two sides uses. */
export async function gpuGrpoRows(bench: EngineBench): Promise<Row[]> {
  const peak = await peakOf(bench.environment);
  const rows: Row[] = [];
  for (const rank of [0, 32])
    for (const drawn of ["vllm", "transformers"] as const) {
      if (drawn === "vllm" && bench.environment.versions.vllm === undefined) continue;
      using monitor = new GpuMonitor();
      const sides: WatchedTurn[] = [];
      const row = await rowOf(onGpu, "mixed", rank, bench, drawn, (turn) => {
        const side = monitor.watch(turn);
        sides.push(side);
        return side.turn;
      });
      rows.push(row);
      const operations = await operationsOfToken(onGpu, rank, bench.model.path);
      for (const [place, watched] of sides.entries()) {
        const busy = watched.busy();
        rows.push({
          work: `share of the peak of matrix products, ${row.work} by ${place === 0 ? "the engine" : row.against}`,
          against: "torch.mm",
          setting: `${watched.rate().toFixed(0)} tokens drawn and learned from a second, ${(operations / 1e9).toFixed(2)} · 10⁹ operations for each; ${busy === undefined ? "how busy the GPU was is not told" : `the GPU computes in ${(busy * 100).toFixed(0)} % of the time, as nvidia-smi tells it`}; square matrices in bf16, ${where(onGpu.device, "")}`,
          ratio: (watched.rate() * operations) / peak,
          bar: null,
        });
      }
    }
  return rows;
}

/** Operations a second of the products of large matrices in bf16. */
async function peakOf(environment: PeerEnvironment): Promise<number> {
  await using peer = await startProducts(environment, "bfloat16", onGpu.device);
  return (await peer.turn()) * 1e6;
}

/**
 * Multiplications and additions with weights for each token that is drawn: drawing it, its share of reading the prompt once, and
 * passes over prompt and completion, forwards and backwards; weights that are not trained need no gradient.
 */
async function operationsOfToken(
  { samples, newTokens }: Grpo,
  rank: number,
  folder: string,
): Promise<number> {
  const { weights } = await productsOf(folder);
  const drawing = 1 + promptTokens / (samples * newTokens);
  const learning = (rank === 0 ? 3 : 2) * (1 + promptTokens / newTokens);
  return 2 * weights * (drawing + learning);
}

/** `watched` may put itself between a side, the engine's first, and the measurement. */
async function rowOf(
  sizes: Grpo,
  precision: Precision,
  rank: number,
  { engine, model, environment, rounds }: EngineBench,
  drawn: "transformers" | "vllm" = "transformers",
  watched: (turn: Turn) => Turn = (turn) => turn,
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
        drawn,
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
  const step = async (): Promise<number> => {
    const begun = performance.now();
    const tokens = await grpoStep(sizes, trained, ++steps);
    return (tokens / (performance.now() - begun)) * 1000;
  };
  await step();
  await using peer = await start(processes);
  const { trl, transformers, vllm } = environment.versions;
  const work = `a GRPO step of ${rank === 0 ? "all weights" : `adapters of rank ${rank}`} in ${precision}`;
  const against = `TRL ${trl} GRPOTrainer${drawn === "vllm" ? ` with vLLM ${vllm}` : ""}`;
  const [ours, theirs] = [watched(step), watched(() => peer.turn())];
  return {
    work,
    against,
    setting: `${model.label}; ${prompts} prompts of ${promptTokens} tokens, ${samples} samples of ${newTokens} each, no β; transformers ${transformers}, ${whereFastest(device, processes)}`,
    ratio: await pairedRatio(ours, theirs, rounds, (words) =>
      console.error(`${work} against ${against}, ${words}`),
    ),
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
