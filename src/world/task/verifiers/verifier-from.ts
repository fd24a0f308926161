import { z } from "zod";
import { isWhetstoneError, messageOf, readOptions } from "../../../foundation/base/index.ts";
import type { Item, Response, Verifier } from "../../../foundation/contract/index.ts";
import { canariesOfOwn, type OwnCanary, ownCanariesSchema } from "./own-canaries.ts";
import { Patience } from "./patience.ts";
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
  timeoutMs: z
    .number()
    .int()
    .min(1)
    .max(2 ** 31 - 1)
    .default(60_000),
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
  /**
   * Of a function that returns promises: how long nothing may be answered while something is asked; 60,000 if left out. Then the
   * oldest request is void. Where no request was ever answered, or four such silences follow each other, the run ends with
   * `verifier-failed`.
   */
  readonly timeoutMs?: number;
  /** In place of those made from the items' answers: at least one right response and two wrong ones. */
  readonly canaries?: readonly OwnCanary[];
}

/**
 * A verifier of your own: a function of an item and a complete response. What it throws, and a score outside of 0 to 1, is void:
 * it neither trains nor counts. It must give the same verdict every time. All responses of a stage are asked at once. Throws `invalid-option`;
 * `verifier-failed` (environment) from `verify` when a function that is to answer later never does.
 *
 * @example
 * const initials = verifierFrom({
 *   name: "initials",
 *   verify: ({ answer }, { text }) => text.trim().replaceAll(".", "") === answer,
 * });
 */
export function verifierFrom(given: VerifierFromOptions): Verifier {
  const { timeoutMs, ...read } = readOptions("verifierFrom()", options, given);
  const { name, version, description, verify, canaries } = read;
  const patience = new Patience(name, timeoutMs);
  return {
    name,
    version,
    description,
    verify: async (item, response) => {
      if (!response.complete) return wrong;
      try {
        const judged = verify(item, response);
        return verdictFrom(isPromise(judged) ? await patience.waitFor(judged) : judged);
      } catch (error) {
        if (isWhetstoneError(error) && error.code === "verifier-failed") throw error;
        return { outcome: "void", reason: `verifier "${name}" failed: ${messageOf(error)}` };
      }
    },
    canaries: (item, others) => canariesOfOwn(canaries as readonly OwnCanary[] | undefined, item, others),
    close: async () => patience.close(),
  };
}

function isPromise<T>(value: T | PromiseLike<T>): value is PromiseLike<T> {
  return typeof value === "object" && value !== null && "then" in value && typeof value.then === "function";
}
