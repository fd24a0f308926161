import { readFileSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { freemem } from "node:os";
import { join } from "node:path";
import { userError } from "../../foundation/base/index.ts";
import type { Precision } from "../../foundation/contract/index.ts";
import { estimateParameters, type PreparedModel } from "../../model/engine/index.ts";
import type { RunDefinition } from "../round/definition.ts";

/** Parameters of a prepared model, by its configuration. */
export async function parametersOf({ path }: Pick<PreparedModel, "path">): Promise<number> {
  const text = await readFile(join(path, "config.json"), "utf8");
  return estimateParameters(JSON.parse(text) as Record<string, unknown>);
}

/**
 * Refuses a model that cannot be trained in the memory that is there, before anything is loaded: otherwise the system would
 * kill its process somewhere on the way, without a word. Throws a user error `model-too-large`.
 */
export async function refuseTooLarge(
  { model, engine, optimize, budget, prepare, precision, lora }: RunDefinition,
  prepared: Pick<PreparedModel, "path" | "fromScratch" | "adapters">,
  available = availableMemory(),
): Promise<void> {
  const adapters = lora !== undefined || prepared.adapters !== undefined;
  const bytesPerParameter =
    engine.bytesPerParameter && Math.ceil(engine.bytesPerParameter * shareOf(precision, adapters));
  const trains = budget.rounds > 0 || prepare !== null || prepared.fromScratch;
  if (bytesPerParameter === undefined || !trains) return;
  const policies = optimize.roles.length;
  const parameters = await parametersOf(prepared);
  const needed = bytesPerParameter * parameters * policies;
  if (needed <= available) return;
  const times = policies === 1 ? "" : `, ${policies} of them`;
  throw userError(
    "model-too-large",
    `${model.name} has ${billions(parameters)} parameters${times}: training takes at least ${gigabytes(needed)} of memory (${bytesPerParameter} bytes a parameter: ` +
      `${kept(precision, adapters)}), and ${gigabytes(available)} are available here. Take a smaller model, ${adapters ? "" : "adapters (lora: { rank: 32 }), "}${precision === "bf16" ? "" : 'precision "bf16", '}or a machine with more memory.`,
    { parameters, neededBytes: needed, availableBytes: available },
  );
}

/** Of what fp32 takes: a weight alone where adapters are trained, half of each number in bf16. */
function shareOf(precision: Precision, adapters: boolean): number {
  return (adapters ? 1 / 4 : 1) * (precision === "bf16" ? 1 / 2 : 1);
}

function kept(precision: Precision, adapters: boolean): string {
  const bits = precision === "bf16" ? 16 : 32;
  return adapters ? `its weight in ${bits} bits` : `weight, gradient and two moments in ${bits} bits each`;
}

/** Bytes that a new process can have: what the kernel says, and no more than the limit of this process's group. */
export function availableMemory(): number {
  const limit = process.constrainedMemory();
  const free = memoryAvailable() ?? freemem();
  return limit > 0 ? Math.min(free, limit) : free;
}

/** Linux counts what it can take back from caches; elsewhere undefined. */
function memoryAvailable(): number | undefined {
  try {
    const kilobytes = /^MemAvailable:\s+(\d+) kB$/m.exec(readFileSync("/proc/meminfo", "utf8"))?.[1];
    return kilobytes === undefined ? undefined : 1024 * Number(kilobytes);
  } catch {
    return undefined;
  }
}

const gigabytes = (bytes: number): string => `${(bytes / 1e9).toFixed(1)} GB`;

function billions(parameters: number): string {
  return parameters >= 1e9
    ? `${(parameters / 1e9).toFixed(1)} billion`
    : `${(parameters / 1e6).toFixed(1)} million`;
}
