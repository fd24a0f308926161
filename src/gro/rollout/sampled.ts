import type { Rollout, TokenIds } from "../../foundation/contract/index.ts";

/** What a rollout's policy wrote, with the logprobs with which it did; nothing where it wrote nothing. */
export function sampledOf({ segments }: Pick<Rollout, "segments">): {
  readonly tokens: TokenIds;
  readonly logprobs: Float32Array;
} {
  const segment = segments.find(({ kind }) => kind === "sampled");
  return segment?.kind === "sampled" ? segment : nothing;
}

const nothing = { tokens: new Int32Array(), logprobs: new Float32Array() };
