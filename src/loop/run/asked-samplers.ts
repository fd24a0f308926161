import type { Engine, SamplingPolicy, Tokenizer } from "../../foundation/contract/index.ts";
import type { RunDefinition } from "../round/definition.ts";
import { wholeCheckpoint } from "./weights.ts";

export interface AskedRequest {
  readonly engine: Engine;
  readonly precision: RunDefinition["precision"];
  readonly tokenizer: Tokenizer;
  /** Where the run's checkpoints lie. */
  readonly folder: string;
  /** Checkpoint names by role. */
  readonly asked: Readonly<Record<string, string>>;
}

/** Loads the roles that a harness asks beside the one that answers, and gives them back at the end. */
export async function askedSamplers({
  engine,
  precision,
  tokenizer,
  folder,
  asked,
}: AskedRequest): Promise<AsyncDisposable & { readonly asked: readonly SamplingPolicy[] }> {
  const held: SamplingPolicy[] = [];
  const stack = new AsyncDisposableStack();
  try {
    for (const [role, checkpoint] of Object.entries(asked)) {
      const sampler = stack.use(
        await engine.loadSampler({
          source: {
            kind: "checkpoint",
            path: await wholeCheckpoint(folder, checkpoint),
            optimizer: false,
          },
          precision,
          tokenBytes: tokenizer.tokenBytes(),
        }),
      );
      held.push({ role, sampler, tokenizer });
    }
  } catch (error) {
    await stack.disposeAsync();
    throw error;
  }
  return { asked: held, [Symbol.asyncDispose]: () => stack.disposeAsync() };
}
