import { readFile } from "node:fs/promises";
import { join } from "node:path";
import type { Datum } from "whetstone";
import type { EngineBench } from "./engine-bench.ts";
import type { PeerEnvironment } from "./environment.ts";
import { hasNativeBf16 } from "./native.ts";
import { pairedRatio } from "./paired.ts";
import { Peer, type PeerDevice, threadsOf, where } from "./peer.ts";
import type { Row } from "./row.ts";

interface Peak {
  readonly rows: number;
  readonly device: PeerDevice;
}

const length = 256;
const onHost: Peak = { rows: 8, device: "cpu" };
const onGpu: Peak = { rows: 128, device: "cuda" };
const bars = { fp32: 0.6, mixed: 0.45 } as const;

/** How much of the products of matrices that PyTorch reaches on this machine a supervised step of all weights reaches. */
export const peakRows = (bench: EngineBench): Promise<Row[]> =>
  rowsOf(onHost, hasNativeBf16() ? ["fp32", "mixed"] : ["fp32"], bench);
export const gpuPeakRows = (bench: EngineBench): Promise<Row[]> => rowsOf(onGpu, ["mixed"], bench);

async function rowsOf(
  { rows, device }: Peak,
  precisions: readonly ("fp32" | "mixed")[],
  { engine, model, environment, rounds }: EngineBench,
): Promise<Row[]> {
  const results: Row[] = [];
  for (const precision of precisions) {
    const operations = await operationsOfStep(model.path, rows);
    await using trained = await engine.createModel({
      source: { kind: "folder", path: model.path, ...(model.seed === undefined ? {} : { seed: model.seed }) },
      precision,
    });
    const data = Array.from({ length: rows }, (_, row): Datum => {
      const line = Int32Array.from(
        { length: length + 1 },
        (_, place) => 10 + ((row * 97 + place * 31) % 9000),
      );
      return {
        tokens: line.subarray(0, -1),
        targets: line.subarray(1),
        weights: new Float32Array(length).fill(1 / (rows * length)),
      };
    });
    const ours = async (): Promise<number> => {
      const begun = performance.now();
      await Promise.all([
        trained.forwardBackward(data, { loss: { name: "cross_entropy" }, logprobs: "none" }),
        trained.optimStep({ learningRate: 1e-5, gradientClipNorm: 1 }),
      ]);
      return (operations / 1e6 / (performance.now() - begun)) * 1000;
    };
    await using peer = await startProducts(
      environment,
      precision === "fp32" ? "float32" : "bfloat16",
      device,
    );
    await ours();
    results.push({
      work: `share of the peak of matrix products, supervised step in ${precision}`,
      against: "torch.mm",
      setting: `${model.label}; ${rows} lines of ${length} tokens, a loss at each, ${(operations / 1e12).toFixed(2)} · 10¹² operations a step, optimiser included in its time; square matrices in ${precision === "fp32" ? "fp32" : "bf16"}, the fastest of several sizes, ${where(device, `${threadsOf(1)} threads`)}`,
      ratio: await pairedRatio(ours, () => peer.turn(), rounds),
      bar: device === "cpu" ? bars[precision] : null,
    });
  }
  return results;
}

/** Square matrices of several sizes, multiplied: a turn tells 10⁶ operations a second, of the fastest. */
export const startProducts = (
  environment: PeerEnvironment,
  dtype: "float32" | "bfloat16",
  device: PeerDevice,
): Promise<Peer> =>
  Peer.start({
    environment,
    script: "matmul.py",
    processes: 1,
    threads: threadsOf(1),
    options: { dtype, milliseconds: 2000, device },
  });

/** Multiplications and additions in products of matrices: forwards once, backwards twice that. What attention masks is not counted. */
async function operationsOfStep(folder: string, rows: number): Promise<number> {
  const { weights, scores } = await productsOf(folder);
  return 3 * 2 * (weights + scores * (length / 2)) * rows * length;
}

/** Multiplications that a token takes: by weights, and for each position that it attends to. */
export async function productsOf(folder: string): Promise<{ weights: number; scores: number }> {
  const config = JSON.parse(await readFile(join(folder, "config.json"), "utf8")) as Record<string, number>;
  const {
    hidden_size: width = 0,
    intermediate_size: hidden = 0,
    num_hidden_layers: layers = 0,
    num_attention_heads: heads = 1,
    num_key_value_heads: groups = heads,
    vocab_size: vocabulary = 0,
    head_dim: headWidth = width / heads,
  } = config;
  const attention = width * headWidth * (2 * heads + 2 * groups);
  return {
    weights: layers * (attention + 3 * width * hidden) + width * vocabulary,
    scores: layers * 2 * heads * headWidth,
  };
}
