import { randomInt } from "node:crypto";
import { userError } from "../../../foundation/base/index.ts";
import type {
  SampledSequence,
  SampleRequest,
  Sampler,
  SamplingParameters,
  ScoredSequence,
} from "../../../foundation/contract/index.ts";
import { type requests, tokensOfChunks, writeSamples } from "../tinker/index.ts";
import { seedOf } from "./call.ts";
import type { SamplingSession } from "./sampling-session.ts";
import type { ServerState } from "./state.ts";

/** Tokens that a sample may have where neither the request nor the model says how many. */
const mostTokens = 2048;
/** And no request more than this, which no model here has positions for. */
const mostEver = 2 ** 20;
const seeds = 2 ** 48;

/** Draws what an `asample` asks for, and scores its prompt where that is asked for too. */
export async function drawSamples(
  state: ServerState,
  session: SamplingSession,
  body: requests.SampleBody,
): Promise<Uint8Array> {
  checkSupported(state, body);
  const prompt = tokensOfChunks(
    body.prompt.chunks.map((chunk) =>
      chunk.type === "encoded_text"
        ? { kind: "tokens", tokens: Int32Array.from(chunk.tokens) }
        : { kind: chunk.type === "dmel" ? "audio" : "image" },
    ),
    "the prompt",
  );
  const request: SampleRequest = {
    prompt,
    samples: body.num_samples,
    seed: body.sampling_params.seed == null ? randomInt(seeds - 1) : seedOf(body.sampling_params.seed),
    parameters: await parametersOf(session, body, prompt.length),
  };
  const drawn = !isWholeSample(session, prompt, body);
  return session.held().draw(async (sampler) => {
    const [[sequences = []], scored] = await Promise.all([
      drawn ? sampler.sample([request]) : [[nothing]],
      scorePrompt(sampler, prompt, body),
    ]);
    return writeSamples({ sequences, ...scored });
  });
}

const nothing: SampledSequence = {
  tokens: new Int32Array(0),
  logprobs: new Float32Array(0),
  stopReason: "length",
};

/**
 * Whether a prompt is as long as a sample can become, prompt and all, and is there to be scored: the API has no way to ask for
 * that without one token more, for which there is no position.
 */
function isWholeSample(
  { base }: SamplingSession,
  { length }: Int32Array,
  body: requests.SampleBody,
): boolean {
  const scores = body.prompt_logprobs === true || body.topk_prompt_logprobs > 0;
  const drawsOne = body.num_samples === 1 && body.sampling_params.max_tokens === 1;
  return scores && drawsOne && base?.maxPositions !== undefined && length === base.maxPositions + 1;
}

async function parametersOf(
  { base }: SamplingSession,
  { sampling_params: given, topk_sample_logprobs: topLogprobs }: requests.SampleBody,
  promptLength: number,
): Promise<SamplingParameters> {
  const maxPositions = base?.maxPositions;
  const room = maxPositions === undefined ? mostEver : Math.max(1, maxPositions - promptLength + 1);
  const { stop, top_k: topK, min_p: minP, stop_strings: alsoStrings = [] } = given;
  const list = typeof stop === "string" ? [stop] : (stop ?? (await base?.stopTokens()) ?? []);
  const stopTokens = list.filter((one) => typeof one === "number");
  const stopStrings = [...list.filter((one) => typeof one === "string"), ...alsoStrings];
  return {
    maxTokens: Math.min(given.max_tokens ?? (maxPositions === undefined ? mostTokens : room), room),
    temperature: given.temperature,
    topP: given.top_p,
    ...(topK > 0 ? { topK } : {}),
    ...(minP === undefined ? {} : { minP }),
    ...(stopTokens.length > 0 ? { stopTokens } : {}),
    ...(stopStrings.length > 0 ? { stopStrings } : {}),
    ...(topLogprobs > 0 ? { topLogprobs } : {}),
  };
}

async function scorePrompt(
  sampler: Sampler,
  prompt: Int32Array,
  body: requests.SampleBody,
): Promise<Pick<Parameters<typeof writeSamples>[0], "promptLogprobs" | "topPromptLogprobs">> {
  const { prompt_logprobs: wanted, topk_prompt_logprobs: top, prompt_logprobs_last_n: last } = body;
  if (wanted !== true && top === 0) return {};
  const { logprobs, top: most } = await score(sampler, prompt, top);
  const unasked = last == null ? 0 : prompt.length - last;
  logprobs.fill(Number.NaN, 0, unasked);
  most?.logprobs.fill(Number.NaN, 0, unasked * most.k);
  most?.tokens.fill(0, 0, unasked * most.k);
  return {
    ...(wanted === true ? { promptLogprobs: logprobs } : {}),
    ...(most === undefined ? {} : { topPromptLogprobs: most }),
  };
}

async function score(sampler: Sampler, prompt: Int32Array, top: number): Promise<ScoredSequence> {
  if (top > 0 && sampler.score !== undefined)
    return (await sampler.score([prompt], { top }))[0] as ScoredSequence;
  return { logprobs: (await sampler.logprobs([prompt]))[0] as Float32Array };
}

/** Throws a user error `unsupported` for what this server, or its engine, cannot do. */
function checkSupported({ capabilities }: ServerState, body: requests.SampleBody): void {
  const { engine, topLogprobs: most } = capabilities;
  const refuse = (what: string) => {
    throw userError("unsupported", what);
  };
  for (const name of ["topk_prompt_logprobs", "topk_sample_logprobs"] as const)
    if (body[name] > most)
      refuse(
        most === 0
          ? `${name}: the engine of this server (${engine}) does not tell the most probable tokens.`
          : `${name} is ${body[name]}, and the engine of this server tells ${most} at most.`,
      );
  if (body.prompt_alt_tokens_k > 0) refuse("prompt_alt_tokens_k is not supported; set it to 0.");
  if (body.target_prompt_logprobs != null) refuse("target_prompt_logprobs is not supported; leave it out.");
  if (body.record_stability_info === true) refuse("record_stability_info is not supported; set it to false.");
  const { prompt_logprobs_last_n: last } = body;
  const length = body.prompt.chunks.reduce(
    (sum, chunk) => sum + ("tokens" in chunk ? (chunk.tokens as number[]).length : 0),
    0,
  );
  if (last != null && (body.prompt_logprobs !== true || last > length - 1))
    refuse("prompt_logprobs_last_n needs prompt_logprobs, and is less than the prompt is long.");
}
