import { spawn } from "node:child_process";
import { createInterface } from "node:readline";
import type { Turn } from "./paired.ts";
import { median } from "./row.ts";

/** A side of a comparison, and what its turns were like. */
export interface WatchedTurn {
  readonly turn: Turn;
  /** The median of its turns, tokens a second. */
  rate(): number;
  /** The share of the time in which the GPU was computing, as nvidia-smi tells it; undefined where it tells nothing. */
  busy(): number | undefined;
}

/** Hears from nvidia-smi how busy the first GPU is. */
export class GpuMonitor implements Disposable {
  #hear: (share: number) => void = () => undefined;
  readonly #process = spawn(
    "nvidia-smi",
    ["--id=0", "--query-gpu=utilization.gpu", "--format=csv,noheader,nounits", "--loop-ms=100"],
    { stdio: ["ignore", "pipe", "ignore"] },
  );

  constructor() {
    this.#process.on("error", () => undefined);
    createInterface({ input: this.#process.stdout }).on("line", (line) => this.#hear(Number(line) / 100));
  }

  watch(turn: Turn): WatchedTurn {
    const rates: number[] = [];
    const shares: number[] = [];
    return {
      turn: async () => {
        this.#hear = (share) => shares.push(share);
        try {
          const rate = await turn();
          rates.push(rate);
          return rate;
        } finally {
          this.#hear = () => undefined;
        }
      },
      rate: () => median(rates),
      busy: () => {
        const told = shares.filter(Number.isFinite);
        return told.length === 0 ? undefined : told.reduce((sum, one) => sum + one, 0) / told.length;
      },
    };
  }

  [Symbol.dispose](): void {
    this.#process.kill();
  }
}
