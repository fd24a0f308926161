import { joined, nearest, userError } from "../../../foundation/base/index.ts";
import type { Datum, Loss, LossName } from "../../../foundation/contract/index.ts";
import type { WireChunk, WireDatum } from "./wire/datum.ts";
import { floatsOf, floatTensor, tokensOf, tokenTensor, type WireTensor } from "./wire/tensor.ts";

type FloatMember = "weights" | "advantages" | "logprobs" | "mask" | "clipLow" | "clipHigh";

const policy = { advantages: "advantages", logprobs: "logprobs", mask: "mask" } as const;
const clipped = {
  ...policy,
  clip_low_threshold: "clipLow",
  clip_high_threshold: "clipHigh",
} as const;

/** By loss: the API's names of the arrays that stand beside `target_tokens`. `mask` is ours. */
const inputs: Readonly<Record<LossName, Readonly<Record<string, FloatMember>>>> = {
  cross_entropy: { weights: "weights" },
  importance_sampling: policy,
  dro: policy,
  ppo: clipped,
  cispo: clipped,
  gspo: { ...clipped, sequence_ratio_mask: "mask" },
};
const required: readonly FloatMember[] = ["advantages", "logprobs"];

/**
 * An example as engines take it. Weights that were not sent are 1, as SkyRL has it. Throws user errors `unknown-input`,
 * `missing-input`, `wrong-dtype`, `wrong-shape`, `token-out-of-range` and `unsupported-chunk`, each with the example's place.
 */
export function datumOf({ chunks, inputs: sent }: WireDatum, index: number, loss: Loss): Datum {
  const tokens = tokensOfChunks(chunks, `datum ${index}`);
  const known = inputs[loss.name];
  const datum: { tokens: Int32Array; targets?: Int32Array } & { [Member in FloatMember]?: Float32Array } = {
    tokens,
  };
  const check = <T extends Int32Array | Float32Array>(values: T, name: string): T => {
    if (values.length === tokens.length) return values;
    throw userError(
      "wrong-shape",
      `Datum ${index} has ${tokens.length} tokens and ${values.length} values in "${name}"; one a token is needed.`,
      { datum: index },
    );
  };
  for (const [name, tensor] of sent) {
    const what = `"${name}" of datum ${index}`;
    const member = Object.hasOwn(known, name) ? known[name] : undefined;
    if (name === "target_tokens") datum.targets = check(tokensOf(tensor, what), name);
    else if (member === undefined) throw unknownInput(loss, name, index, Object.keys(known));
    else if (datum[member] !== undefined)
      throw userError("unknown-input", `Datum ${index} has two arrays for one thing: one is "${name}".`);
    else datum[member] = check(floatsOf(tensor, what), name);
  }
  const { targets } = datum;
  if (targets === undefined) throw missing(index, "target_tokens", loss);
  if (loss.name === "cross_entropy") datum.weights ??= new Float32Array(tokens.length).fill(1);
  else for (const member of required) if (datum[member] === undefined) throw missing(index, member, loss);
  return { ...datum, targets };
}

/** All tokens of a model's input, one after the other. Throws a user error `unsupported-chunk`. */
export function tokensOfChunks(chunks: readonly WireChunk[], what: string): Int32Array {
  const parts = chunks.map((chunk) => {
    if (chunk.kind === "tokens") return chunk.tokens;
    throw userError("unsupported-chunk", `${what} holds ${chunk.kind}; this server takes token ids only.`);
  });
  if (parts.length === 1) return parts[0] as Int32Array;
  return joined(parts);
}

function unknownInput(loss: Loss, name: string, index: number, known: readonly string[]) {
  const meant = nearest(name, known);
  const takes = `target_tokens, ${known.join(", ")}`;
  return userError(
    "unknown-input",
    `Datum ${index} has an array "${name}", and the loss ${loss.name} takes ${takes}` +
      `${meant === undefined ? "." : `; did you mean "${meant}"?`}`,
    { datum: index, name },
  );
}

function missing(index: number, name: string, loss: Loss) {
  return userError("missing-input", `Datum ${index} has no "${name}", which ${loss.name} needs.`, {
    datum: index,
  });
}

/** The API's form of an example. `mask` goes to our servers only; others know a mask as that of gspo's ratio. */
export function wireDatumOf(datum: Datum, loss: Loss, ours = true): WireDatum {
  const sent = new Map<string, WireTensor>([["target_tokens", tokenTensor(datum.targets)]]);
  const foreign = ours ? "sequence_ratio_mask" : "mask";
  for (const [name, member] of Object.entries(inputs[loss.name])) {
    const values = datum[member];
    if (values !== undefined && name !== foreign) sent.set(name, floatTensor(values));
  }
  return { chunks: [{ kind: "tokens", tokens: datum.tokens }], inputs: sent };
}
