import { z } from "zod";
import { userError } from "../../foundation/base/index.ts";
import type { Precision } from "../../foundation/contract/index.ts";
import type { EngineDefinition } from "../../model/engine/index.ts";
import { local } from "../../model/engine/local/index.ts";
import { tabular } from "../../model/engine/tabular/index.ts";
import type { RecordedRun } from "./find-run.ts";

const describedSchema = z.looseObject({
  engine: z.looseObject({ name: z.string() }),
  precision: z.enum(["fp32", "mixed", "bf16"]).catch("fp32"),
});

export interface RecordedEngine {
  readonly engine: EngineDefinition;
  readonly precision: Precision;
}

const threadsSchema = z.looseObject({ threads: z.number().optional() });
const tableSchema = z.looseObject({ horizon: z.number(), backOff: z.number(), deviation: z.number() });

/**
 * The engine that a run was made with, for answering a few prompts: one process suffices. Throws a user error
 * `unknown-engine` for one that Whetstone does not bring itself; a program gives it then.
 */
export function engineOf({ record }: RecordedRun, given?: EngineDefinition): RecordedEngine {
  const { engine: described, precision } = describedSchema.parse(record.description);
  if (given !== undefined) return { engine: given, precision };
  if (described.name === "local") {
    const { threads } = threadsSchema.parse(described);
    return { engine: local({ workers: 1, ...(threads === undefined ? {} : { threads }) }), precision };
  }
  if (described.name === "tabular") {
    const { horizon, backOff, deviation } = tableSchema.parse(described);
    return { engine: tabular({ horizon, backOff, deviation }), precision };
  }
  throw userError(
    "unknown-engine",
    `The run ${record.id} was made with the engine ${described.name}, which Whetstone does not bring: give it from a program, openChat({ engine }).`,
    { engine: described.name },
  );
}
