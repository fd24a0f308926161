import { z } from "zod";
import { readOptions } from "../../foundation/base/index.ts";
import { attempt } from "../rollout/index.ts";
import { mergeGroups } from "./merge-groups.ts";
import type { GeneratePart } from "./part.ts";

const optionsSchema = z.strictObject({
  /** From sure to daring. Logprobs are kept at 1: what the others write, no ratio of a policy gradient corrects. */
  temperatures: z.array(z.number().positive()).min(1).readonly().default([0.4, 0.7, 1]),
  /** Attempts at each item and temperature. */
  samples: z.number().int().min(1).default(4),
});
export type LadderOptions = Readonly<z.input<typeof optionsSchema>>;

/**
 * Attempts at each item at several temperatures: likely answers and rare ones in one group. Each temperature has random numbers
 * of its own.
 *
 * @example
 * rejectionSampling({ generate: ladder({ temperatures: [0.4, 0.7, 1], samples: 4 }) })
 */
export function ladder(options: LadderOptions = {}): GeneratePart {
  const { temperatures, samples } = readOptions("ladder()", optionsSchema, options);
  return {
    name: "ladder",
    description: { temperatures: temperatures.join(", "), samples },
    samplesPerItem: temperatures.length * samples,
    generate: async ({ onProgress, ...request }) => {
      let rungs = 0;
      const climbed = await Promise.all(
        temperatures.map(async (temperature, rung) => {
          const groups = await attempt({ ...request, samples, temperature, seed: request.seed + rung });
          rungs++;
          onProgress?.(Math.floor((rungs * request.items.length) / temperatures.length));
          return groups;
        }),
      );
      return mergeGroups(climbed);
    },
  };
}
