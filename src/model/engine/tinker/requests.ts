import { z } from "zod";

/**
 * Bodies of the API's JSON requests (SDK 0.38). Fields that nobody here needs and that change nothing are known and let
 * pass; any other is refused, because what it asks for would not be done.
 */
const id = z.string().min(1).max(300);
const count = z.int().min(0);
const metadata = z.record(z.string(), z.unknown()).nullish();
const harmless = z.unknown().optional();
const optimizerConfig = z.looseObject({ type: z.string() }).nullish();
const text = z.string().max(4096);
/** One request with more would be an answer of megabytes, and nobody else's turn meanwhile. */
const mostSamples = 16_384;
/** A hundred years: what lies farther ahead than calendars go would be no date in any listing. */
const ttl = z.int().min(1).max(3_155_760_000);

export const createSession = z.strictObject({
  type: z.literal("create_session").optional(),
  tags: z.array(z.string()).optional(),
  user_metadata: metadata,
  display_name: text.nullish(),
  sdk_version: harmless,
  project_id: harmless,
});

export const ofSession = z.strictObject({ session_id: id, type: z.string().optional() });
export const ofSampler = z.strictObject({ sampling_session_id: id });
export const ofModel = z.strictObject({ model_id: id, type: z.string().optional() });

export const loraConfig = z.strictObject({
  rank: z.int().min(0),
  seed: z.int().nullish(),
  train_unembed: z.boolean().default(true),
  train_mlp: z.boolean().default(true),
  train_attn: z.boolean().default(true),
  /** Ours: the SDK has no words for them. The second is what a base without weights is drawn from; `seed` draws the adapters. */
  alpha: z.number().positive().optional(),
  base_seed: z.int().min(0).optional(),
});
export type LoraConfig = z.output<typeof loraConfig>;

export const createModel = z.strictObject({
  type: z.literal("create_model").optional(),
  session_id: id,
  model_seq_id: count,
  base_model: text,
  lora_config: loraConfig.nullish(),
  optimizer_config: optimizerConfig,
  user_metadata: metadata,
});

const number = z.number();
export const optimStep = z.strictObject({
  type: z.literal("optim_step").optional(),
  model_id: id,
  seq_id: z.int().min(1),
  adam_params: z
    .strictObject({
      learning_rate: number.default(1e-4),
      beta1: number.default(0.9),
      beta2: number.default(0.95),
      eps: number.default(1e-12),
      weight_decay: number.default(0),
      grad_clip_norm: number.default(0),
    })
    .optional(),
  optimizer_params: z.looseObject({ type: z.string() }).optional(),
});

/** The optimiser without moments, which is ours. */
export const sgdParams = z.strictObject({
  type: z.literal("sgd"),
  learning_rate: number,
  weight_decay: number.default(0),
  grad_clip_norm: number.default(0),
});

const saved = {
  model_id: id,
  seq_id: z.int().min(1),
  path: text.nullish(),
  ttl_seconds: ttl.nullish(),
  user_metadata: z.record(z.string(), z.string()).nullish(),
};
export const saveWeights = z.strictObject({
  ...saved,
  type: z.literal("save_weights").optional(),
  overwrite: z.boolean().default(false),
});
export const saveWeightsForSampler = z.strictObject({
  ...saved,
  type: z.literal("save_weights_for_sampler").optional(),
  sampling_session_seq_id: count.nullish(),
  kind: z.enum(["snapshot", "inflight"]).default("snapshot"),
  /** Ours: the snapshot is kept until it is released. */
  keep: z.boolean().default(false),
});

export const loadWeights = z.strictObject({
  type: z.literal("load_weights").optional(),
  model_id: id.nullish(),
  seq_id: z.int().min(1).nullish(),
  session_id: id.nullish(),
  model_seq_id: count.nullish(),
  base_model: text.nullish(),
  path: text,
  optimizer: z.boolean(),
  optimizer_config: optimizerConfig,
  user_metadata: metadata,
  weights_access_token: harmless,
});

/** The form of before 0.38, for a model that there is. */
export const reloadWeights = loadWeights.extend({ model_id: id, seq_id: z.int().min(1) });

export const createSamplingSession = z.strictObject({
  type: z.literal("create_sampling_session").optional(),
  session_id: id,
  sampling_session_seq_id: count,
  base_model: text.nullish(),
  model_path: text.nullish(),
});

const chunk = z.discriminatedUnion("type", [
  z.strictObject({ type: z.literal("encoded_text"), tokens: z.array(z.int32()) }),
  z.looseObject({ type: z.literal("image") }),
  z.looseObject({ type: z.literal("image_asset_pointer") }),
  z.looseObject({ type: z.literal("dmel") }),
]);

/** A text where a double does not hold it: our server reads it so. */
const drawNumber = z.union([count, z.string().regex(/^\d{16,19}$/)]);

export const sample = z.strictObject({
  type: z.literal("sample").optional(),
  sampling_session_id: id,
  seq_id: drawNumber,
  prompt: z.strictObject({ chunks: z.array(chunk) }),
  num_samples: z.int().min(1).max(mostSamples).default(1),
  sampling_params: z.strictObject({
    max_tokens: z.int().min(1).nullish(),
    seed: z.int().nullish(),
    stop: z.union([z.string(), z.array(z.string()), z.array(z.int())]).nullish(),
    temperature: number.default(1),
    top_k: z.int().min(-1).default(-1),
    top_p: number.default(1),
    /** Ours, as is the second kind of stop beside the first. */
    min_p: number.optional(),
    stop_strings: z.array(z.string()).optional(),
  }),
  prompt_logprobs: z.boolean().nullish(),
  prompt_logprobs_last_n: z.int().min(1).nullish(),
  topk_prompt_logprobs: count.default(0),
  topk_sample_logprobs: count.default(0),
  prompt_alt_tokens_k: count.default(0),
  target_prompt_logprobs: z.unknown().optional(),
  record_stability_info: z.boolean().nullish(),
  base_model: text.nullish(),
  model_path: text.nullish(),
});
export type SampleBody = z.output<typeof sample>;

export const retrieveFuture = z.strictObject({
  request_id: id,
  allow_metadata_only: z.boolean().optional(),
});

export const weightsInfo = z.strictObject({ tinker_path: text, weights_access_token: harmless });
export const setTtl = z.strictObject({ ttl_seconds: ttl.nullable() });

/** What is looked for in a body that does not pass, so that its number is used up all the same. */
export const numbered = z.looseObject({ model_id: id, seq_id: z.int().min(1) });
