import type { RandomStream } from "../../../foundation/base/index.ts";
import type { ProbedPairs, ProbeRequest } from "../../probes.ts";

/** Pairs that are lost and won with these chances, one after the other. */
export function pairsOf(
  random: RandomStream,
  { lost, won }: { readonly lost: number; readonly won: number },
  most = 1e9,
) {
  let left = most;
  return async (count: number): Promise<ProbedPairs[]> => {
    const given = Math.min(count, left);
    left -= given;
    return Array.from({ length: given }, () => {
      const drawn = random.uniform();
      return { pairs: [{ difference: drawn < lost ? -1 : drawn < lost + won ? 1 : 0, void: false }] };
    });
  };
}

/** Of a probe that is opened on fresh items, with what a test asks for. */
export const request = (rest: Partial<ProbeRequest> & Pick<ProbeRequest, "nextPairs">): ProbeRequest => ({
  stratum: "length 4",
  margin: 0.05,
  level: 0.05,
  reused: false,
  cap: 1500,
  ...rest,
});
