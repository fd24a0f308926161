import { type NoOptions, refuseOptions } from "../../../foundation/base/index.ts";
import type { Harness } from "../../../foundation/contract/index.ts";
import { attempt } from "../../../gro/rollout/index.ts";
import { answerOf } from "../answer.ts";

/**
 * One answer an item, always the likeliest token: the plain model, and the default.
 *
 * @example
 * defineRun({ task: reverse(), refine: greedyDecoding() });
 */
export function greedyDecoding(options: NoOptions = {}): Harness {
  refuseOptions("greedyDecoding()", options);
  return {
    name: "greedy decoding",
    description: {},
    samplesPerItem: 1,
    answer: async (request) => {
      const groups = await attempt({ ...request, samples: 1, temperature: 0 });
      return groups.map(({ rollouts }) => answerOf(rollouts, rollouts[0]));
    },
  };
}
