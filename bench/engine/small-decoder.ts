import { spawn } from "node:child_process";
import { join } from "node:path";
import { packageFolder } from "../../src/model/engine/local/index.ts";
import { fairEnvironment, type PeerEnvironment } from "./environment.ts";
import type { Row } from "./row.ts";

interface Pair {
  readonly case: string;
  readonly against: string;
  /** Tokens a CPU second. */
  readonly other: number;
  readonly engine: number;
}

/**
 * The worker's code against plain PyTorch and transformers at the quickstart's sizes: alone, and two processes at once as two
 * peers train. Ratios of CPU time, each pair measured in turns in one process.
 */
export async function smallDecoderRows(environment: PeerEnvironment): Promise<Row[]> {
  const alone = await measure(environment);
  const together = await Promise.all([measure(environment), measure(environment)]);
  const row = (pair: Pair, how: string, ratio: number): Row => ({
    work: pair.case,
    against: pair.against,
    setting: `a decoder of 3 layers of width 64; CPU time of one thread, ${how}`,
    ratio,
    bar: 1,
  });
  return alone.flatMap((pair, index) => {
    const both = together.map((run) => ratioOf(run[index] as Pair));
    const mean = both.reduce((sum, one) => sum + one, 0) / both.length;
    return [row(pair, "alone", ratioOf(pair)), row(pair, "two at once", mean)];
  });
}

function measure({ python }: PeerEnvironment): Promise<Pair[]> {
  const child = spawn(python, [join(import.meta.dirname, "small-decoder.py")], {
    env: { ...fairEnvironment(1), PYTHONPATH: packageFolder },
    stdio: ["ignore", "pipe", "ignore"],
  });
  let text = "";
  child.stdout.on("data", (piece: Buffer) => {
    text += piece.toString();
  });
  return new Promise((resolve, reject) => {
    child.on("error", reject);
    child.on("close", (code) => {
      if (code === 0) resolve(JSON.parse(text) as Pair[]);
      else reject(new Error(`small-decoder.py ended with exit code ${code}; run it by hand to see why`));
    });
  });
}

function ratioOf({ engine, other }: Pair): number {
  return engine / other;
}
