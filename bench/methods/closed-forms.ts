/** Rewards of the attempts at one item, each an answer of one letter. */
export type Rewards = readonly number[];

/** What an update part says of itself. */
export type Described = Readonly<Record<string, unknown>>;

/**
 * The gradient of a method's objective by the log probability of each attempt, at a uniform policy that is its own reference, where all
 * ratios are 1 and all attempts have one token, of `longest` that they might have had: written from the papers' formulas, in doubles, without the parts that are to be checked.
 */
export type ClosedForm = (rewards: Rewards, described: Described, longest: number) => number[];

const mean = (numbers: Rewards): number => numbers.reduce((sum, one) => sum + one, 0) / numbers.length;
const deviation = (numbers: Rewards): number =>
  Math.sqrt(mean(numbers.map((one) => (one - mean(numbers)) ** 2)));
const number = (described: Described, name: string, otherwise = 0): number =>
  Number(described[name] ?? otherwise);

/** −1/K Σ log π over what was kept: reward 1. */
const imitation: ClosedForm = (rewards) => {
  const kept = rewards.filter((reward) => reward >= 1).length;
  return rewards.map((reward) => (reward >= 1 ? 1 / kept : 0));
};

/** A_i / n with A_i = (r_i − mean r) / std r. */
const group: ClosedForm = (rewards) =>
  rewards.map((reward) => (reward - mean(rewards)) / deviation(rewards) / rewards.length);

/** The same with the deviation of a sample, and a small number beside it. */
const groupOfSample: ClosedForm = (rewards, described) => {
  const spread = deviation(rewards) * Math.sqrt(rewards.length / (rewards.length - 1));
  return rewards.map(
    (reward) => (reward - mean(rewards)) / (spread + number(described, "epsilon")) / rewards.length,
  );
};

/** gain / n over the n thoughts of one token that helped; what the true answers after them weigh moves nothing before them. */
const positive: ClosedForm = (rewards) => {
  const helped = rewards.filter((reward) => reward > 0).length;
  return rewards.map((reward) => Math.max(0, reward) / helped);
};

/** A_i / n / L with A_i = r_i − mean r: every token as if all responses had the longest length. */
const centred: ClosedForm = (rewards, _, longest) =>
  rewards.map((reward) => (reward - mean(rewards)) / rewards.length / longest);

/** A_i / n with A_i = r_i − mean of the others. */
const leaveOneOut: ClosedForm = (rewards) =>
  rewards.map((reward, index) => (reward - mean(rewards.toSpliced(index, 1))) / rewards.length);

/** A_i = r_i − the critic's expectation, which is ¼ here. */
const learned: ClosedForm = (rewards) => rewards.map((reward) => (reward - 0.25) / rewards.length);

/** −log σ(β·margin) at margin 0 has the slopes ∓β/2, and α more for the likelihood of what is chosen. */
const bestAgainstWorst: ClosedForm = (rewards, described) => {
  const half = number(described, "beta") / 2;
  const [best, worst] = [Math.max(...rewards), Math.min(...rewards)];
  const weight = described.weight === "difference" ? best - worst : 1;
  return rewards.map((reward) =>
    reward === best
      ? weight * (half + number(described, "likelihood"))
      : reward === worst
        ? -weight * half
        : 0,
  );
};

/** The same over every better one against every worse one. */
const everyPair: ClosedForm = (rewards, described) => {
  const pairs = rewards.flatMap((better, chosen) =>
    rewards.flatMap((worse, rejected) => (better > worse ? [{ chosen, rejected }] : [])),
  );
  const half = number(described, "beta") / 2;
  const slopes = rewards.map(() => 0);
  for (const { chosen, rejected } of pairs) {
    slopes[chosen] = (slopes[chosen] ?? 0) + (half + number(described, "likelihood")) / pairs.length;
    slopes[rejected] = (slopes[rejected] ?? 0) - half / pairs.length;
  }
  return slopes;
};

/** λ·β·σ′(0) = λβ/4 for each, up where it is desirable and down where it is not; mismatched answers move nothing. */
const desirability: ClosedForm = (rewards, described) =>
  rewards.map(
    (reward) =>
      ((reward >= number(described, "desirableFrom") ? 1 : -1) * number(described, "beta")) /
      4 /
      rewards.length,
  );

/** Of (ratio − η(P − ½))² at ratio 0: 2η(P − ½), of the best and the worst. */
const squared: ClosedForm = (rewards, described) =>
  rewards.map((reward) =>
    reward === Math.max(...rewards) || reward === Math.min(...rewards)
      ? 2 * number(described, "eta") * (reward - 0.5)
      : 0,
  );

/** exp((r − r_max)/τ), a mean over what is learnt from: the best alone, where one an item is. */
const byReward: ClosedForm = (rewards, described) => {
  const best = Math.max(...rewards);
  const weights = rewards.map((reward) =>
    Number(described.mostPerPrompt) === 1 && reward < best
      ? 0
      : Math.exp((reward - best) / number(described, "temperature", 1)),
  );
  const learnt = weights.filter((one) => one > 0).length;
  return weights.map((one) => one / learnt);
};

/** The demonstrated answer, which is the first letter, against each that was written: of these alone the last is one. */
const demonstrated: ClosedForm = (rewards, described) => {
  const half = number(described, "beta") / 2;
  return rewards.map((_, index) => (index === 0 ? half : index === rewards.length - 1 ? -half : 0));
};

/** By the method's name. */
export const closedForms: Readonly<Record<string, ClosedForm>> = {
  "supervised-fine-tuning": (rewards) => rewards.map((_, index) => (index === 0 ? 1 : 0)),
  "rejection-sampling": imitation,
  star: imitation,
  "rest-em": imitation,
  rft: imitation,
  lmsi: imitation,
  "expert-iteration": imitation,
  "self-improving-transformers": imitation,
  self: imitation,
  "multiagent-finetuning": imitation,
  "v-star": (rewards, described, longest) =>
    (described.loss === "dpo" ? everyPair : imitation)(rewards, described, longest),
  regenesis: imitation,
  simrag: imitation,
  sirius: imitation,
  grpo: group,
  dapo: group,
  gspo: group,
  cispo: group,
  "reinforce-plus-plus": group,
  ttrl: group,
  empo: group,
  rent: group,
  intuitor: group,
  dte: group,
  "r-zero": group,
  serl: group,
  "absolute-zero": group,
  "dr-zero": groupOfSample,
  "quiet-star": positive,
  seal: imitation,
  spice: centred,
  "dr-grpo": centred,
  rloo: leaveOneOut,
  score: leaveOneOut,
  ppo: learned,
  rlc: learned,
  dpo: bestAgainstWorst,
  "self-rewarding": bestAgainstWorst,
  "meta-rewarding": bestAgainstWorst,
  scpo: bestAgainstWorst,
  "iterative-rpo": everyPair,
  kto: desirability,
  sppo: squared,
  rise: byReward,
  spin: demonstrated,
};
