import type { explainingOrder } from "../../lifecycle/guard/index.ts";

/** For people: what is wrong where a guard acts, and what may be done about it. */
export interface GuardAdvice {
  readonly wrong: string;
  readonly toDo: string;
}

/** Of all guards that stop a run or take a round back by default. */
const advice: Readonly<Record<(typeof explainingOrder)[number], GuardAdvice>> = {
  "item identity": {
    wrong: "Items that are kept for validation, decisions or audits were among what is learnt from.",
    toDo: "Take out the source or the documents that brought them, or draw items from the training split, as procedural() does.",
  },
  "sampler freshness": {
    wrong: "The sampler is stale: other weights answer than those that are trained.",
    toDo: "Test the engine with `whetstone engine check`, and mend how it takes samplers.",
  },
  "logprob mismatch": {
    wrong: "What was sampled does not have the probability that the trained model gives it.",
    toDo: "Test the engine with `whetstone engine check`: other weights, another temperature or another precision wrote the samples.",
  },
  "verifier integrity": {
    wrong: "The reward takes too many wrong answers for right: more wrong than right would be learnt.",
    toDo: "Make the verifier stricter, or whoever else rewards, or begin with a model that is more often right.",
  },
  "label accuracy": {
    wrong: "More of the answers that were kept to learn from are wrong than right.",
    toDo: "Keep fewer and surer ones (verifier(), agreement() of models trained apart), or begin with a model that is more often right.",
  },
  "reward hacking": {
    wrong:
      "The training reward rises and the verified score does not: the reward is earned by something else than the task.",
    toDo: "Look at the answers in the report, and close the way by which the reward is earned without solving the task.",
  },
  "majority lock-in": {
    wrong: "The model rewards itself for what it says most often, and became surer of wrong answers.",
    toDo: "Reward by something that the model does not say of itself (verifier(), agreement() of models trained apart), or train the base until most of its answers are right.",
  },
  "diversity collapse": {
    wrong:
      "Single answers got better while the model forgot most of what else it could say: what looks like progress is loss.",
    toDo: "Nothing, where later rounds were promoted. Else add demonstrations, sample at a higher temperature, or keep right answers only.",
  },
  drift: {
    wrong: "The model moved further away from the base than the run allows.",
    toDo: "Lower the learning rate or the steps of a round, or allow more with drift({ budget }).",
  },
  "gap closed": {
    wrong: "The reward keeps nothing truer than what the model writes anyway, and accuracy does not rise.",
    toDo: "Where validation items are answered far worse than what is kept, the model knows its training items by heart: give it more of them, or train it less. Else take the champion as it is, or give the run harder items, another reward or new data.",
  },
  "learnable proposals": {
    wrong: "What the model proposes to itself is solved always or never: nothing is learnt from it.",
    toDo: "Reward the proposer by how much can be learnt (learnability()), or give it items of middling difficulty to begin with.",
  },
};

/** The same by any guard's name; of a guard of somebody else there is none. */
export const guardAdvice: Readonly<Record<string, GuardAdvice>> = advice;
