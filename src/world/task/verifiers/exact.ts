import { z } from "zod";
import { readOptions } from "../../../foundation/base/index.ts";
import type { Verifier } from "../../../foundation/contract/index.ts";
import { comparing } from "./comparison.ts";

const options = z.strictObject({
  ignoreCase: z.boolean().default(false),
  trim: z.boolean().default(true),
});

export interface ExactOptions {
  /** Takes `YES` for `yes`; false if left out. */
  readonly ignoreCase?: boolean;
  /** Does not mind white space before and after the response and the reference answer; true if left out. */
  readonly trim?: boolean;
}

/**
 * Score 1 for a complete response that is the item's reference answer, the whole of it, else 0. Two ways of writing one letter
 * (é as one character or as two) are the same. Throws `invalid-option`.
 *
 * @example
 * const verifier = exact({ ignoreCase: true }); // takes " rome\n" where the answer is "Rome"
 */
export function exact(given: ExactOptions = {}): Verifier {
  const { ignoreCase, trim } = readOptions("exact()", options, given);
  const form = (text: string): string => {
    const composed = (trim ? text.trim() : text).normalize("NFC");
    return ignoreCase ? composed.toLowerCase() : composed;
  };
  return comparing<string>({
    name: "exact",
    version: 1,
    description: { ignoreCase, trim },
    read: (answer) => (form(answer) === "" ? { fault: "the answer is empty" } : { reference: form(answer) }),
    judge: (reference, text) => form(text) === reference,
    same: (one, other) => one === other,
    rightForms: (_, answer) => [
      answer,
      ...(trim ? [` ${answer.trim()}\n`] : []),
      ...(ignoreCase
        ? [answer.toUpperCase(), answer.toLowerCase()].filter((text) => form(text) === form(answer))
        : []),
    ],
    wrongForms: (reference, answer) => {
      const characters = [...answer.trim()];
      const near = [
        characters.slice(1).join(""),
        characters.slice(0, -1).join(""),
        `${answer.trim()}${characters.at(-1) ?? ""}`,
        `The answer is ${answer.trim()}.`,
      ];
      return near.filter((text) => form(text) !== reference);
    },
  });
}
