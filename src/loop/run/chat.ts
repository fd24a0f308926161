import { join } from "node:path";
import { z } from "zod";
import { randomStream, readOptions, valueWith } from "../../foundation/base/index.ts";
import type { StoredEvent } from "../../foundation/contract/index.ts";
import { ledgerFolder } from "../../foundation/ledger/index.ts";
import type { EngineDefinition, EngineProgress } from "../../model/engine/index.ts";
import { loadTokenizer } from "../../model/text/index.ts";
import { abortSignal, functionOf, projectFolder, runName, whichWeights } from "./arguments.ts";
import { type Chat, type ChatPartner, conversation, type Speaker } from "./chat/conversation.ts";
import { engineOf } from "./engine-of.ts";
import { readRun } from "./find-run.ts";
import { type WhichWeights, weightsOf, wholeCheckpoint } from "./weights.ts";

export type { Chat, ChatAnswer, ChatPartner } from "./chat/conversation.ts";

const optionsSchema = z.strictObject({
  folder: projectFolder,
  run: runName,
  of: z.array(whichWeights).min(1).readonly().default(["champion", "base"]),
  engine: valueWith<EngineDefinition>("open", "expected something like local()").optional(),
  onProgress: functionOf<EngineProgress>(),
  signal: abortSignal,
  temperature: z.number().min(0).max(100).default(0),
  maxTokens: z.number().int().min(1).max(1_000_000).default(256),
  seed: z
    .number()
    .int()
    .min(0)
    .max(2 ** 48 - 1)
    .default(0),
});

export interface ChatOptions {
  /** The project folder of a run; the current folder if left out. */
  readonly folder?: string;
  /** A run by its name; the last one if left out. */
  readonly run?: string;
  /** Who answers; `["champion", "base"]` if left out. Weights that are the same answer once. */
  readonly of?: readonly WhichWeights[];
  /** 0, the default, is greedy. */
  readonly temperature?: number;
  /** Most tokens of an answer; default 256. */
  readonly maxTokens?: number;
  readonly seed?: number;
  /** Another engine than the run's own. */
  readonly engine?: EngineDefinition;
  readonly onProgress?: EngineProgress;
  readonly signal?: AbortSignal;
}

/**
 * Opens a conversation with a run's champion and its base, beside a run that goes on if need be. Throws user errors `no-run`,
 * `no-weights`, `checkpoint-damaged` and `unknown-engine`, and what the engine throws when it loads.
 *
 * @example
 * const folder = await mkdtemp(join(tmpdir(), "run-"));
 * const prepare = supervised({ on: demonstrations(), steps: 10, learningRate: 0.3 });
 * const definition = defineRun({ task: reverse({ lengths: [1, 4] }), engine: tabular(), prepare, budget: { rounds: 0 } });
 * await run(definition, { folder });
 * await using chat = await openChat({ folder, maxTokens: 8 });
 * for (const { of, text } of await chat.ask("12=")) console.log(of, text);
 */
export async function openChat(options: ChatOptions = {}): Promise<Chat> {
  const read = readOptions("openChat()", optionsSchema, options);
  const { folder, of, run, signal, onProgress, engine: given, ...sampling } = read;
  const recorded = readRun(folder, run);
  const models = modelsOf(of.map((which) => ({ which, ...weightsOf(recorded.events, which) })));
  const paths = await Promise.all(models.map(({ checkpoint }) => wholeCheckpoint(folder, checkpoint)));
  const { engine: definition, precision } = engineOf(recorded, given);
  const engine = await definition.open({
    logFolder: join(ledgerFolder(folder), "logs"),
    ...(signal ? { signal } : {}),
    ...(onProgress ? { onProgress } : {}),
  });
  try {
    const speakers = await Promise.all(
      models.map(async (model, index): Promise<Speaker> => {
        const path = paths[index] as string;
        const tokenizer = await loadTokenizer(path);
        const sampler = await engine.loadSampler({
          source: { kind: "checkpoint", path, optimizer: false },
          precision,
          tokenBytes: tokenizer.tokenBytes(),
          ...(signal ? { signal } : {}),
        });
        return { model, tokenizer, sampler };
      }),
    );
    const talk = conversation(recorded.record.id, speakers, {
      ...sampling,
      random: randomStream(sampling.seed, "chat"),
    });
    const example = exampleOf(recorded.events);
    return { ...talk, example, [Symbol.asyncDispose]: () => engine[Symbol.asyncDispose]() };
  } catch (error) {
    await engine[Symbol.asyncDispose]();
    throw error;
  }
}

function exampleOf(events: readonly StoredEvent[]): string | null {
  const shown = events.flatMap(({ event }) => (event.type === "samples-shown" ? event.samples : []));
  return shown[0]?.prompt ?? null;
}

function modelsOf(
  asked: readonly { readonly which: WhichWeights; readonly round: number; readonly checkpoint: string }[],
): ChatPartner[] {
  return [...Map.groupBy(asked, ({ checkpoint }) => checkpoint).values()].flatMap(([first, ...rest]) =>
    first === undefined
      ? []
      : [
          {
            of: first.which,
            also: rest.map(({ which }) => which),
            round: first.round,
            checkpoint: first.checkpoint,
          },
        ],
  );
}
