import { join } from "node:path";
import { z } from "zod";
import { isWhetstoneError, randomStream, readOptions, userError } from "../../foundation/base/index.ts";
import type {
  Engine,
  Message,
  SampledSequence,
  Sampler,
  TokenIds,
  Tokenizer,
} from "../../foundation/contract/index.ts";
import { ledgerFolder } from "../../foundation/ledger/index.ts";
import type { EngineDefinition, EngineProgress } from "../../model/engine/index.ts";
import { loadTokenizer } from "../../model/text/index.ts";
import { engineOf } from "./engine-of.ts";
import { readRun } from "./find-run.ts";
import { checkpointPath, type WhichWeights, weightsOf } from "./weights.ts";

const samplingSchema = z.strictObject({
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
  /** The project folder of a run. */
  readonly folder: string;
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

/** One of those who answer. */
export interface ChatModel {
  readonly of: WhichWeights;
  /** Which others of those that were asked for are the very same weights. */
  readonly also: readonly WhichWeights[];
  /** The round that made it; 0 is the preparation. */
  readonly round: number;
  readonly checkpoint: string;
}

export interface ChatAnswer extends ChatModel {
  readonly text: string;
  /** False when the token limit ended it. */
  readonly complete: boolean;
  /** Tokens that were sampled. */
  readonly tokens: number;
}

/** A conversation with a run's models, each with the answers that it gave itself. */
export interface Chat extends AsyncDisposable {
  readonly run: string;
  readonly models: readonly ChatModel[];
  /** Whether the models know conversations; without a chat template each prompt stands alone. */
  readonly conversational: boolean;
  /**
   * The answers of all, in their order. Throws user errors `conversation-too-long`, `text-not-in-vocabulary` and
   * `special-token-in-text`; the conversation is then as it was before.
   */
  ask(prompt: string, options?: { readonly signal?: AbortSignal }): Promise<readonly ChatAnswer[]>;
  /** Forgets what was said. */
  clear(): void;
}

interface Speaker {
  readonly model: ChatModel;
  readonly tokenizer: Tokenizer;
  readonly sampler: Sampler;
  messages: readonly Message[];
}

/**
 * Opens a conversation with a run's champion and its base, beside a run that goes on if need be. Throws user errors `no-run`,
 * `no-weights` and `unknown-engine`, and what the engine throws when it loads.
 *
 * @example
 * const folder = await mkdtemp(join(tmpdir(), "run-"));
 * const gate = { mode: "observe" } as const;
 * await run(defineRun({ task: reverse(), engine: tabular(), gate, budget: { rounds: 0 } }), { folder });
 * await using chat = await openChat({ folder, maxTokens: 8 });
 * for (const { of, text } of await chat.ask("12=")) console.log(of, text);
 */
export async function openChat(options: ChatOptions): Promise<Chat> {
  const { folder, of = ["champion", "base"], run, signal, onProgress, engine: given } = options;
  const { temperature, maxTokens, seed } = options;
  const sampling = readOptions("openChat()", samplingSchema, {
    ...(temperature === undefined ? {} : { temperature }),
    ...(maxTokens === undefined ? {} : { maxTokens }),
    ...(seed === undefined ? {} : { seed }),
  });
  const recorded = readRun(folder, run);
  const models = modelsOf(of.map((which) => ({ which, ...weightsOf(recorded.events, which) })));
  const paths = models.map(({ checkpoint }) => checkpointPath(folder, checkpoint));
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
        return { model, tokenizer, sampler, messages: [] };
      }),
    );
    return conversation(recorded.record.id, speakers, sampling, engine);
  } catch (error) {
    await engine[Symbol.asyncDispose]();
    throw error;
  }
}

function modelsOf(
  asked: readonly { readonly which: WhichWeights; readonly round: number; readonly checkpoint: string }[],
): ChatModel[] {
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

function conversation(
  run: string,
  speakers: readonly Speaker[],
  { temperature, maxTokens, seed }: z.output<typeof samplingSchema>,
  engine: Engine,
): Chat {
  const random = randomStream(seed, "chat");
  let turn = 0;
  return {
    run,
    models: speakers.map(({ model }) => model),
    conversational: speakers.some(({ tokenizer }) => tokenizer.chat !== undefined),
    ask: async (prompt, { signal } = {}) => {
      const turnSeed = random.fork(turn++).seed();
      const said = await Promise.all(
        speakers.map(async ({ tokenizer, sampler, messages }) => {
          const asked = [...messages, { role: "user", content: prompt }];
          const stopTokens = [...new Set([tokenizer.endToken, ...(tokenizer.stopTokens ?? [])])];
          const parameters = { maxTokens, temperature, stopTokens };
          const context = contextOf(tokenizer, asked);
          const request = { prompt: context, samples: 1, seed: turnSeed, parameters };
          const [samples] = await sampler
            .sample([request], signal ? { signal } : {})
            .catch((error: unknown) => Promise.reject(namedFault(error, messages.length > 0)));
          const { tokens, stopReason } = samples?.[0] as SampledSequence;
          const ended = stopTokens.includes(tokens.at(-1) ?? -1);
          const text = tokenizer.decode(ended ? tokens.subarray(0, -1) : tokens);
          return { text, complete: stopReason === "stop", tokens: tokens.length, asked };
        }),
      );
      return said.map(({ asked, ...answer }, index) => {
        const speaker = speakers[index] as Speaker;
        if (speaker.tokenizer.chat !== undefined)
          speaker.messages = [...asked, { role: "assistant", content: answer.text }];
        return { ...speaker.model, ...answer };
      });
    },
    clear: () => {
      for (const speaker of speakers) speaker.messages = [];
    },
    [Symbol.asyncDispose]: () => engine[Symbol.asyncDispose](),
  };
}

/** The conversation as the model was taught to read it; where it was taught none, the last message alone. */
function contextOf(tokenizer: Tokenizer, messages: readonly Message[]): TokenIds {
  if (tokenizer.chat !== undefined) return tokenizer.chat.prompt(messages);
  const ids = tokenizer.encode(messages.at(-1)?.content ?? "");
  return tokenizer.beginToken === undefined ? ids : Int32Array.of(tokenizer.beginToken, ...ids);
}

function namedFault(error: unknown, later: boolean): unknown {
  if (!isWhetstoneError(error) || error.code !== "too-long") return error;
  const advice = later ? "begin a new conversation (`/clear`)" : "ask something shorter";
  return userError("conversation-too-long", `This no longer fits the model (${error.message}): ${advice}.`);
}
