import { z } from "zod";
import { readOptions } from "../../foundation/base/index.ts";
import { attempt } from "../rollout/index.ts";
import type { GeneratePart } from "./part.ts";

const optionsSchema = z.strictObject({
  /** Attempts at each item. */
  samples: z.number().int().min(1).default(8),
  /** Other than 1, a policy gradient follows another law than it samples from: logprobs are kept at 1, and no ratio corrects it. */
  temperature: z.number().positive().default(1),
  /** Nucleus: the smallest set of tokens that holds this share of the probability; below 1 no ratio corrects it either. */
  topP: z.number().positive().max(1).default(1),
});
export type SamplesOptions = Readonly<z.input<typeof optionsSchema>>;

/**
 * Several sampled attempts at each item.
 *
 * @example
 * gro({ generate: samples({ samples: 8 }), reward: verifier(), update: policyGradient() })
 */
export function samples(options: SamplesOptions = {}): GeneratePart {
  const read = readOptions("samples()", optionsSchema, options);
  const { samples: count, temperature, topP } = read;
  return {
    name: "samples",
    description: read,
    samplesPerItem: count,
    ...(topP < 1 ? { needs: { topP: true } } : {}),
    generate: (request) =>
      attempt({ ...request, samples: count, temperature, ...(topP < 1 ? { topP } : {}) }),
  };
}
