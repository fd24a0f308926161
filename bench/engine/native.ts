import { readFileSync } from "node:fs";

/** Whether the processor multiplies matrices in bf16 faster than in fp32: as `native_bf16` of the engine. */
export function hasNativeBf16(): boolean {
  try {
    const processors = readFileSync("/proc/cpuinfo", "utf8");
    return (
      /\bamx_bf16\b/.test(processors) ||
      (/\bAuthenticAMD\b/.test(processors) && /\bavx512_bf16\b/.test(processors))
    );
  } catch {
    return false;
  }
}
