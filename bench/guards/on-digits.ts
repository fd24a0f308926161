import {
  procedural,
  type RunConfig,
  rejectionSampling,
  sampledDecoding,
  samples,
  supervised,
  tabular,
  tiny,
  verifier,
} from "whetstone";
import { lastDigit } from "../last-digit.ts";

/** The vocabulary and tokenizer of a table of logits: it has no layers of its own. */
export const model = tiny({ layers: 1, width: 8, heads: 1 });
export const evaluate = { perStratum: 512, auditPerStratum: 32, finalAuditPerStratum: 64 } as const;

/** Strings that may be asked for what is to be refused: none is an item, by its length. */
export const endingIn0 = Array.from({ length: 64 }, (_, index) => `${String(1111 + index)}0=`);

/** None of these is about the method. */
export const unbaselined = { off: "guards are what is measured" } as const;

/** A table that looks at two tokens, and says the last digit. */
export const onDigits = {
  task: lastDigit({ name: "last-digit" }),
  model,
  engine: tabular({ horizon: 2, backOff: 2, deviation: 0.3 }),
  acquire: [procedural({ difficulty: 5, items: 256 })],
  refine: sampledDecoding(),
  evaluate,
  baselines: unbaselined,
} as const satisfies RunConfig;

/** Learns for so many steps from what the verifier kept of four answers to each item. */
export function verifiedFor(steps: number): NonNullable<RunConfig["optimize"]> {
  return rejectionSampling({
    generate: samples({ samples: 4 }),
    reward: verifier(),
    update: supervised({ steps, learningRate: 0.1, replay: { newest: 1 } }),
  });
}
