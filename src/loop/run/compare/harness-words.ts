import { nearest, userError } from "../../../foundation/base/index.ts";
import type { Harness } from "../../../foundation/contract/index.ts";
import {
  bestOfN,
  greedyDecoding,
  sampledDecoding,
  selfConsistency,
} from "../../../lifecycle/refine/index.ts";

const words = ["greedy", "sampled", "best-of-8", "vote-8"];
const counted = { "best-of": bestOfN, vote: selfConsistency } as const;

/** A way to answer by its word: `greedy`, `sampled`, `best-of-8` or `vote-8`. Throws a user error `unknown-harness`. */
export function readHarness(text: string): Harness {
  if (text === "greedy") return greedyDecoding();
  if (text === "sampled") return sampledDecoding();
  const [, name = "", count = ""] = /^(best-of|vote)-(\d{1,4})$/.exec(text) ?? [];
  if (name !== "" && Number(count) >= 2)
    return counted[name as keyof typeof counted]({ samples: Number(count) });
  const meant = name === "" ? nearest(text, words) : undefined;
  const hint =
    meant === undefined
      ? "there are greedy, sampled, best-of-N and vote-N, with N of at least 2."
      : `did you mean ${meant}?`;
  throw userError("unknown-harness", `There is no way to answer "${text}"; ${hint}`, { harness: text });
}
