import type { SampledSequence, TopLogprobs } from "../../../../foundation/contract/index.ts";
import type { WirePass, WirePassOutput } from "./forward-backward.ts";
import type { WireSamples } from "./sample-response.ts";
import { floatsOf, tokensOf, type WireTensor } from "./tensor.ts";

/** The bodies of before SDK 0.25, in JSON. What is not as the API has it is read as if it were missing. */
export function jsonPass({ modelId, sequence, data, lossName, lossConfig, forwardOnly }: WirePass): {
  readonly path: "forward" | "forward_backward";
  readonly body: object;
} {
  const input = {
    data: data.map(({ chunks, inputs }) => ({
      model_input: {
        chunks: chunks.map((chunk) => ({
          type: "encoded_text",
          tokens: chunk.kind === "tokens" ? Array.from(chunk.tokens) : [],
        })),
      },
      loss_fn_inputs: Object.fromEntries(Array.from(inputs, ([name, tensor]) => [name, jsonTensor(tensor)])),
    })),
    loss_fn: lossName,
    ...(Object.keys(lossConfig).length === 0 ? {} : { loss_fn_config: lossConfig }),
  };
  const head = { model_id: modelId, seq_id: sequence };
  return forwardOnly
    ? { path: "forward", body: { ...head, forward_input: input } }
    : { path: "forward_backward", body: { ...head, forward_backward_input: input } };
}

function jsonTensor(tensor: WireTensor): object {
  const { dtype, shape } = tensor;
  const isWhole = dtype === "int64" || dtype === "int32";
  return {
    data: Array.from<number>(isWhole ? tokensOf(tensor, "an array") : floatsOf(tensor, "an array")),
    dtype: isWhole ? "int64" : "float32",
    shape,
  };
}

type Fields = Readonly<Record<string, unknown>>;

const fieldsOf = (value: unknown): Fields =>
  typeof value === "object" && value !== null ? (value as Fields) : {};
const listOf = (value: unknown): readonly unknown[] => (Array.isArray(value) ? value : []);
/** Where JSON has no word for a number there is none. */
const floatsIn = (value: unknown): Float32Array =>
  Float32Array.from(listOf(value), (one) => (typeof one === "number" ? one : Number.NaN));

export function passOutputIn(value: Fields): WirePassOutput {
  const metrics = Object.entries(fieldsOf(value.metrics)).filter(
    (entry): entry is [string, number] => typeof entry[1] === "number",
  );
  const logprobs = listOf(value.loss_fn_outputs).map((output) =>
    floatsIn(fieldsOf(fieldsOf(output).logprobs).data),
  );
  return { metrics: Object.fromEntries(metrics), logprobs };
}

export function samplesIn(value: Fields): WireSamples {
  const sequences = listOf(value.sequences).map((one): SampledSequence => {
    const { tokens, logprobs, stop_reason: reason } = fieldsOf(one);
    return {
      tokens: Int32Array.from(listOf(tokens) as readonly number[]),
      logprobs: floatsIn(logprobs),
      stopReason: reason === "length" ? "length" : "stop",
    };
  });
  const top = Array.isArray(value.topk_prompt_logprobs) ? topIn(value.topk_prompt_logprobs) : undefined;
  return {
    sequences,
    ...(Array.isArray(value.prompt_logprobs) && { promptLogprobs: floatsIn(value.prompt_logprobs) }),
    ...(top && { topPromptLogprobs: top }),
  };
}

/** A list of pairs a position, of id and logprob; none where there is no prediction. */
function topIn(rows: readonly unknown[]): TopLogprobs {
  const k = Math.max(0, ...rows.map((row) => listOf(row).length));
  const tokens = new Int32Array(rows.length * k);
  const logprobs = new Float32Array(rows.length * k).fill(Number.NaN);
  for (const [at, row] of rows.entries())
    for (const [place, pair] of listOf(row).entries()) {
      const [token, logprob] = listOf(pair) as readonly number[];
      tokens[at * k + place] = token ?? 0;
      logprobs[at * k + place] = logprob ?? Number.NaN;
    }
  return { k, tokens, logprobs };
}
