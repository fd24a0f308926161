import { greedy, samples } from "../../generate/index.ts";
import { gro, type Method, type Pass } from "../../method.ts";
import { verifier } from "../../reward/index.ts";
import type { FakeModel } from "../../rollout/testing/fakes.ts";
import { policyGradient, supervised } from "../../update/index.ts";

export const reversed = (prompt: string): string => [...prompt.slice(0, -1)].reverse().join("");
/** Right by the first sample, wrong by the others. */
export const halfRight = (prompt: string, sample: number): string => (sample === 0 ? reversed(prompt) : "0");

export const imitate = gro({
  generate: greedy(),
  reward: verifier(),
  update: supervised({ steps: 3, batch: 4, replay: { newest: 1 } }),
});
export const reinforce = gro({
  generate: samples({ samples: 4 }),
  reward: verifier(),
  update: policyGradient(),
  items: 2,
  repeat: 45,
});

export function partsOf({ passes: [pass] }: Method) {
  const { generate, reward, update, items, repeat, start } = pass as Pass;
  return { generate, reward, update, ...(items === undefined ? {} : { items }), repeat, start };
}

/** Tokens of every datum that was trained, in order. */
export const inputsOf = ({ trained }: FakeModel): number[][] =>
  trained.flatMap(({ data }) => data.map(({ tokens }) => [...tokens]));
