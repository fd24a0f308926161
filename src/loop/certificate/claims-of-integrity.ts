import { exactInterval, percent } from "../../foundation/statistics/index.ts";
import { type Claim, type Contradiction, claim, differences } from "./claim.ts";
import { sharesOf } from "./integrity.ts";
import type { Certificate, Decided, RewardIntegrity } from "./schema.ts";

const field = "decided.integrity";

/** How far verifier and reward can be believed: the counts on trust, and what follows from them. */
export function integrityClaims({ decided }: Certificate): Claim[] {
  const { planted, labels, reward } = decided.integrity;
  const faults = [...countFaults("planted", planted), ...labelFaults(labels)];
  const measured =
    faults.length > 0
      ? "how planted answers and kept labels were judged"
      : [plantedWords(planted), labelWords(labels)].join("; ");
  return [claim("verifier-measured", "trusted", measured, [field], faults), integrityClaim(reward)];
}

function integrityClaim(reward: RewardIntegrity | undefined): Claim {
  const name = "verifier-integrity";
  if (reward === undefined)
    return claim(name, "trusted", "certificates of version 1 do not say what the reward kept", [field]);
  const faults = rewardFaults(reward);
  const words = faults.length > 0 ? "what the reward kept of right and wrong answers" : rewardWords(reward);
  return claim(name, "recomputed", words, [`${field}.reward`], faults);
}

type Counts = Decided["integrity"]["planted"];

function countFaults(name: string, counts: Counts): Contradiction[] {
  return (["right", "wrong"] as const).flatMap((side) => {
    const { kept, of } = counts?.[side] ?? { kept: 0, of: 0 };
    return kept > of ? [{ field: `${field}.${name}.${side}`, words: `${kept} of ${of} cannot be` }] : [];
  });
}

function labelFaults(labels: Decided["integrity"]["labels"]): Contradiction[] {
  return labels !== null && labels.right > labels.judged
    ? [{ field: `${field}.labels`, words: `${labels.right} of ${labels.judged} cannot be` }]
    : [];
}

function rewardFaults({ circular, answers, phi, psi, wrong, breakdown }: RewardIntegrity): Contradiction[] {
  const impossible = countFaults("reward.answers", answers);
  if (impossible.length > 0) return impossible;
  return [
    ...(circular && answers !== null
      ? [
          {
            field: `${field}.reward.circular`,
            words: "and yet answers are counted that only the reward has judged",
          },
        ]
      : []),
    ...differences(`${field}.reward`, { phi, psi, wrong, breakdown }, sharesOf(answers)),
  ];
}

function plantedWords(planted: Counts): string {
  if (planted === null || planted.right.of + planted.wrong.of === 0) return "no answers were planted";
  const { right, wrong } = planted;
  return `of planted answers the verifier kept ${keptWords(right)} right ones and ${keptWords(wrong)} wrong ones`;
}

function keptWords({ kept, of }: { readonly kept: number; readonly of: number }): string {
  if (of === 0) return "none of 0";
  const { low, high } = exactInterval(kept, of);
  return `${kept} of ${of} (95 % interval ${percent(low)} to ${percent(high)})`;
}

function labelWords(labels: Decided["integrity"]["labels"]): string {
  if (labels === null) return "how right the kept labels were is not measurable";
  const { low, high } = exactInterval(labels.right, labels.judged);
  return `${percent(labels.right / labels.judged)} of ${labels.judged} kept labels were right (${percent(low)} to ${percent(high)})`;
}

/** φ, ψ, p and p*, as the guard on verifier integrity reads them. */
function rewardWords({ learnsBy, circular, answers, phi, psi, wrong, breakdown }: RewardIntegrity): string {
  if (circular) return "not measurable: the reward is the task's only judge of truth";
  if (answers === null) return "not measurable: no answer of the model was judged by the truth";
  const told = [
    `φ = ${shareWords(phi)} of the right answers that the model wrote`,
    `ψ = ${shareWords(psi)} of the wrong ones`,
  ].join(" and ");
  const rule =
    learnsBy === "imitation"
      ? `p = ${shareWords(wrong)} of all were wrong, and more wrong than right is kept from p* = ${shareWords(breakdown)}`
      : `p = ${shareWords(wrong)} of all were wrong, p* = ${shareWords(breakdown)}; a policy gradient needs φ above ψ`;
  return `the reward kept ${told}; ${rule}`;
}

function shareWords(share: RewardIntegrity["phi"]): string {
  return share === null
    ? "not measurable"
    : `${percent(share.value)} (${percent(share.low)} to ${percent(share.high)})`;
}
