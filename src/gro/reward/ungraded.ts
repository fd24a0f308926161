import { type NoOptions, refuseOptions } from "../../foundation/base/index.ts";
import { type RewardPart, scoreEach } from "./part.ts";

/**
 * No reward for any response: for updates that set what was written against something else, such as a demonstration (SPIN).
 *
 * @example
 * gro({ generate: samples({ samples: 1 }), reward: ungraded(), update: preference({ pairs: "demonstration" }) });
 */
export function ungraded(options: NoOptions = {}): RewardPart {
  refuseOptions("ungraded()", options);
  return {
    name: "ungraded",
    description: {},
    origin: "external",
    peers: 1,
    reward: async (groups) => scoreEach(groups, () => null),
  };
}
