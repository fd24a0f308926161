import { z } from "zod";
import { messageOf, readOptions } from "../../../foundation/base/index.ts";
import type { Item, Response, Verifier } from "../../../foundation/contract/index.ts";
import { canariesOfOwn, type OwnCanary, ownCanariesSchema } from "./own-canaries.ts";
import { type Judgement, verdictFrom } from "./verdict-from.ts";
import { wrong } from "./verdicts.ts";

const options = z.strictObject({
  name: z.string().min(1),
  version: z.number().int().min(1).default(1),
  description: z.record(z.string(), z.union([z.string(), z.number(), z.boolean()])).default({}),
  verify: z.custom<VerifierFromOptions["verify"]>(
    (value) => typeof value === "function",
    "expected a function",
  ),
  canaries: ownCanariesSchema.optional(),
});

export interface VerifierFromOptions {
  readonly name: string;
  /** Raise it when the function changes: runs of different versions are not compared. 1 if left out. */
  readonly version?: number;
  /** What defines it besides, such as its settings. */
  readonly description?: Readonly<Record<string, string | number | boolean>>;
  /** True, false, a score from 0 to 1, or a verdict. A response that the token limit cut off is scored 0 without being shown. */
  readonly verify: (item: Item, response: Response) => Judgement | Promise<Judgement>;
  /** In place of those made from the items' answers: at least one right response and two wrong ones. */
  readonly canaries?: readonly OwnCanary[];
}

/**
 * A verifier of your own: a function of an item and a complete response. What it throws, and a score outside of 0 to 1, is void:
 * it neither trains nor counts. It must give the same verdict every time. Throws `invalid-option`.
 *
 * @example
 * const initials = verifierFrom({
 *   name: "initials",
 *   verify: ({ answer }, { text }) => text.trim().replaceAll(".", "") === answer,
 * });
 */
export function verifierFrom(given: VerifierFromOptions): Verifier {
  const { name, version, description, verify, canaries } = readOptions("verifierFrom()", options, given);
  return {
    name,
    version,
    description,
    verify: async (item, response) => {
      if (!response.complete) return wrong;
      try {
        return verdictFrom(await verify(item, response));
      } catch (error) {
        return { outcome: "void", reason: `verifier "${name}" failed: ${messageOf(error)}` };
      }
    },
    canaries: (item, others) => canariesOfOwn(canaries as readonly OwnCanary[] | undefined, item, others),
  };
}
