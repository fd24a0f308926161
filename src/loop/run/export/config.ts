import { readFile } from "node:fs/promises";
import { userError } from "../../../foundation/base/index.ts";

/** Angles of rotary positions are divided by it: what is left turns nothing, to the last bit of single precision. */
const noTurning = 1e30;

/**
 * A checkpoint's configuration as `transformers` must read it: the type is that of the weights as they are stored, and a
 * model without positions says so in the one way there is, rotary positions that are stretched beyond any turning. Throws a user
 * error `not-exportable` for learned positions, which no class of `transformers` has beside this architecture.
 */
export async function exportedConfig(path: string, dtype: "float32" | "bfloat16"): Promise<string> {
  const { torch_dtype: _older, ...config } = JSON.parse(await readFile(path, "utf8")) as Record<
    string,
    unknown
  >;
  const { position_embedding_type: positions } = config;
  if (positions === "learned")
    throw userError(
      "not-exportable",
      'This model has learned positions, and transformers has no model of its kind that does: tiny() with positions "rotary" or "none" can be exported.',
      { path },
    );
  const unturned = { rope_type: "linear", factor: noTurning };
  // Older readers look for the one name, newer ones for the other.
  const stretched =
    positions === "none"
      ? {
          rope_scaling: unturned,
          rope_parameters: { ...unturned, rope_theta: Number(config.rope_theta ?? 10000) },
        }
      : {};
  const exported = { ...config, ...stretched, dtype };
  return `${JSON.stringify(exported, null, 2)}\n`;
}
