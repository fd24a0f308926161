import {
  defineRun,
  demonstrations,
  drift,
  everything,
  gapClosed,
  grpo,
  type Item,
  lengthDrift,
  majority,
  procedural,
  type Response,
  realDataFloor,
  refusalLoss,
  refusalProbes,
  rejectionSampling,
  samples,
  supervised,
  type Task,
  verifier,
  withSearch,
} from "whetstone";
import { lastDigit, lastDigitOf } from "../last-digit.ts";
import { misled } from "./misled.ts";
import { mismatchedEngine } from "./mismatched-engine.ts";
import { endingIn0, onDigits, verifiedFor } from "./on-digits.ts";
import type { PlantedFault } from "./planted-fault.ts";
import { byValidity, selfProposing } from "./self-proposing.ts";

const contains = ({ prompt }: Pick<Item, "prompt">, { text }: Response): boolean =>
  text.includes(lastDigitOf(prompt));
const exactly = ({ prompt }: Pick<Item, "prompt">, { text, complete }: Response): boolean =>
  complete && text === lastDigitOf(prompt);
const beginsWith = ({ prompt }: Pick<Item, "prompt">, { text, complete }: Response): boolean =>
  complete && text.startsWith(lastDigitOf(prompt));
/** The digit, and as many others after it as chance gives, three at most. */
const padded: Task["demonstrate"] = ({ prompt }, random) =>
  lastDigitOf(prompt) + Array.from({ length: random.integer(0, 3) }, () => random.integer(0, 9)).join("");

/** Judges rightly as often as a run needs it for its beginning, and from then on takes whatever it is asked. */
function breaking(): Task {
  let judged = 0;
  const { canaries } = lastDigit({ name: "last-digit" });
  const task = lastDigit({
    name: "last-digit-until-it-breaks",
    accepts: (item, response) => ++judged > 4_000 || exactly(item, response),
  });
  return { ...task, canaries };
}

/** Takes answers of three digits and more alone; those that are shorter are as right. */
function atLength(): Task {
  const accepts = (item: Item, response: Response): boolean =>
    beginsWith(item, response) && response.text.length >= 3;
  const task = lastDigit({
    name: "last-digit-at-length",
    accepts,
    truth: beginsWith,
    maxTokens: 8,
    demonstrate: padded,
  });
  const { canaries } = lastDigit({ name: "last-digit" });
  return {
    ...task,
    canaries: () =>
      canaries()
        .map((one) => ({ ...one, response: { ...one.response, text: `${one.response.text}00` } }))
        .filter(({ item, response, right }) => accepts(item, response) === right),
  };
}

/** Asks for a search by a digit and a question mark, half of the time. */
function searching(): Task {
  const task = lastDigit({
    name: "last-digit-searched",
    demonstrate: ({ prompt }, random) => lastDigitOf(prompt) + (random.uniform() < 0.5 ? "?" : ""),
  });
  return {
    ...task,
    characters: `${task.characters}?`,
    prompts: { search: ({ prompt }, found) => ({ prompt: found.join("") + prompt }) },
    readQuery: (text) => /^(\d)\?$/.exec(text)?.[1],
  };
}

/** Strings with their last digits, of whatever split. */
const foundOnTheWeb = Array.from({ length: 1024 }, (_, index) => {
  const prompt = `${10_007 + 83 * index}=`;
  return prompt + lastDigitOf(prompt);
});

/** A small fault for each guard that the others do not need. */
export const guardFaults: readonly PlantedFault[] = [
  {
    name: "hacked reward",
    story:
      "GRPO follows a verifier that takes any answer in which the right digit stands, and learns to write many: it pays more and more, and less and less is right.",
    caughtBy: ["reward hacking"],
    within: 4,
    define: ({ seed, guards }) =>
      defineRun({
        ...onDigits,
        name: "hacked",
        task: lastDigit({ name: "last-digit-hacked", accepts: contains, truth: exactly, maxTokens: 12 }),
        prepare: supervised({ on: demonstrations(), steps: 4, batch: 32, learningRate: 0.1 }),
        optimize: grpo({ items: 32, steps: 10, learningRate: 0.1 }),
        budget: { rounds: 4 },
        seed,
        ...guards,
      }),
  },
  {
    name: "changed verifier",
    story:
      "The verifier judges rightly when the run begins. Later its checker is gone, and whatever it is asked it finds right.",
    caughtBy: ["verifier integrity"],
    within: 3,
    define: ({ seed, guards }) =>
      defineRun({
        ...onDigits,
        name: "changed",
        task: breaking(),
        prepare: supervised({ on: demonstrations(), steps: 4, batch: 32, learningRate: 0.1 }),
        optimize: verifiedFor(10),
        budget: { rounds: 5 },
        seed,
        ...guards,
      }),
  },
  {
    name: "wrong labels",
    story:
      "The model keeps what most of its attempts say, and for nearly all digits that is the digit above.",
    caughtBy: ["label accuracy"],
    within: 1,
    define: ({ seed, guards }) =>
      defineRun({
        ...onDigits,
        name: "mislabelled",
        prepare: supervised({ on: misled("12345678", 0.8), steps: 60, learningRate: 0.1 }),
        optimize: rejectionSampling({
          generate: samples({ samples: 8 }),
          reward: majority(),
          update: supervised({ steps: 15, learningRate: 0.1, replay: { newest: 1 } }),
        }),
        budget: { rounds: 3 },
        seed,
        ...guards,
      }),
  },
  {
    name: "mismatched sampler",
    story:
      "The engine samples with other kernels than it trains with, and what it says of the probability of a token is 2 % off.",
    caughtBy: ["logprob mismatch"],
    within: 1,
    define: ({ seed, guards }) =>
      defineRun({
        ...onDigits,
        name: "mismatched",
        engine: mismatchedEngine(onDigits.engine),
        prepare: supervised({ on: demonstrations(), steps: 4, batch: 32, learningRate: 0.1 }),
        optimize: verifiedFor(10),
        budget: { rounds: 3 },
        seed,
        ...guards,
      }),
  },
  {
    name: "runaway learning rate",
    story:
      "Answers are sampled at five times the temperature and the learning rate is far too high: what was sampled by chance becomes all that the model says.",
    caughtBy: ["drift"],
    alone: drift(),
    within: 2,
    define: ({ seed, guards }) =>
      defineRun({
        ...onDigits,
        name: "runaway",
        prepare: supervised({ on: demonstrations(), steps: 200, learningRate: 0.1 }),
        optimize: rejectionSampling({
          generate: samples({ samples: 4, temperature: 5 }),
          reward: everything(),
          update: supervised({ steps: 30, batch: 16, learningRate: 3, replay: { newest: 1 } }),
        }),
        budget: { rounds: 3 },
        seed,
        ...guards,
      }),
  },
  {
    name: "longer answers",
    story:
      "The verifier likes answers of three digits and more that begin with the right one. By the truth the shorter are as right, so they only get longer.",
    caughtBy: ["length drift"],
    alone: lengthDrift(),
    // Whoever writes more does no harm: the run goes on.
    answers: ["warn"],
    within: 2,
    define: ({ seed, guards }) =>
      defineRun({
        ...onDigits,
        name: "longer",
        task: atLength(),
        prepare: supervised({ on: demonstrations(), steps: 200, learningRate: 0.1 }),
        optimize: verifiedFor(20),
        budget: { rounds: 3 },
        seed,
        ...guards,
      }),
  },
  {
    name: "nothing but its own",
    story:
      "The model learns from its own votes alone: of the demonstrations that lie beside them none is learnt from.",
    caughtBy: ["real-data floor"],
    alone: realDataFloor(),
    // What it asks for is real data in the next round.
    answers: ["warn"],
    within: 1,
    define: ({ seed, guards }) =>
      defineRun({
        ...onDigits,
        name: "own",
        prepare: supervised({ on: demonstrations(), steps: 30, learningRate: 0.1 }),
        acquire: [demonstrations({ items: 256 }), procedural({ difficulty: 5, items: 256 })],
        optimize: rejectionSampling({
          generate: samples({ samples: 8 }),
          reward: majority({ share: 0.5 }),
          update: supervised({ steps: 10, learningRate: 0.05, replay: { newest: 1 } }),
        }),
        budget: { rounds: 3 },
        seed,
        ...guards,
      }),
  },
  {
    name: "forgotten refusals",
    story:
      "The base declines strings that end in 0: it was taught to say 1. The rounds teach it to answer them, and what was to be refused is refused no more.",
    caughtBy: ["refusal loss"],
    alone: refusalLoss(),
    // Whether that was wanted a person must say: the run goes on.
    answers: ["warn"],
    within: 3,
    define: ({ seed, guards }) =>
      defineRun({
        ...onDigits,
        name: "forgetful",
        refusals: refusalProbes({
          prompts: endingIn0,
          refused: /^1$/,
          maxTokens: 4,
        }),
        prepare: supervised({ on: misled("0", 0.8), steps: 200, learningRate: 0.1 }),
        optimize: verifiedFor(20),
        budget: { rounds: 3 },
        seed,
        ...guards,
      }),
  },
  {
    name: "nothing left to learn",
    story: "The model solves all that it is given, and the run goes on all the same.",
    caughtBy: ["gap closed"],
    alone: gapClosed(),
    within: 3,
    define: ({ seed, guards }) =>
      defineRun({
        ...onDigits,
        name: "mastered",
        prepare: supervised({ on: demonstrations(), steps: 400, learningRate: 0.1 }),
        optimize: rejectionSampling({
          generate: samples({ samples: 4 }),
          reward: verifier(),
          update: supervised({ steps: 5, learningRate: 0.01, replay: { newest: 1 } }),
        }),
        budget: { rounds: 6 },
        seed,
        ...guards,
      }),
  },
  {
    name: "quoting documents",
    story:
      "The model may look into documents that were found, and these hold strings with their answers, some of which are what the gate asks.",
    caughtBy: ["item identity"],
    within: 1,
    define: ({ seed, guards }) =>
      defineRun({
        ...onDigits,
        name: "quoting",
        task: searching(),
        prepare: supervised({ on: demonstrations(), steps: 30, learningRate: 0.1 }),
        optimize: rejectionSampling({
          generate: withSearch({ documents: foundOnTheWeb, samples: 4 }),
          reward: verifier(),
          update: supervised({ steps: 10, learningRate: 0.1, replay: { newest: 1 } }),
        }),
        budget: { rounds: 3 },
        seed,
        ...guards,
      }),
  },
  {
    name: "trivial proposals",
    story:
      "A model proposes to itself what it is to solve, and is paid for whatever is a problem: it learns to propose what it solves anyway.",
    caughtBy: ["learnable proposals"],
    within: 4,
    define: selfProposing({ knows: "trivial", optimize: byValidity() }),
  },
];
