import { readFileSync } from "node:fs";

/** Whether the processor multiplies matrices in bf16 faster than in fp32: that takes tiles. */
export function hasNativeBf16(): boolean {
  try {
    return /\bamx_bf16\b/.test(readFileSync("/proc/cpuinfo", "utf8"));
  } catch {
    return false;
  }
}
