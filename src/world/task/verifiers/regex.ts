import { z } from "zod";
import { readOptions, userError } from "../../../foundation/base/index.ts";
import type { Verdict, Verifier } from "../../../foundation/contract/index.ts";
import { lastMatchOf, slowText } from "./bounded-match.ts";
import { comparing, type Reading } from "./comparison.ts";
import { canariesOfOwn, type OwnCanary, ownCanariesSchema } from "./own-canaries.ts";

const flags = z.string().regex(/^[imsu]*$/, "expected flags among i, m, s, u");
const extracting = z.strictObject({
  pattern: z.union([z.string().min(1), z.instanceof(RegExp)]),
  group: z.union([z.number().int().min(0), z.string().min(1)]).optional(),
  flags: flags.optional(),
  example: z.string().includes("{answer}").default("{answer}"),
});
const perItem = z.strictObject({
  patternFrom: z.literal("answer"),
  flags: flags.default(""),
  canaries: ownCanariesSchema.optional(),
});

export interface ExtractingRegexOptions {
  /** Finds the answer in a response: the last match counts. */
  readonly pattern: string | RegExp;
  /** Number or name of the group that is the answer; the first group if there is one, else the whole match. */
  readonly group?: number | string;
  /** Among `i`, `m`, `s`, `u`; those of the pattern if it has some. With `i` the comparison ignores case too. */
  readonly flags?: string;
  /** A right response, `{answer}` standing for the reference answer, to test the pattern with: `"#### {answer}"`. */
  readonly example?: string;
}

export interface RegexOfAnswerOptions {
  /** Every item's reference answer is itself a pattern, which a whole response must match. */
  readonly patternFrom: "answer";
  readonly flags?: string;
  /** Responses of known truth: none can be made from a pattern. At least one right and two wrong ones. */
  readonly canaries?: readonly OwnCanary[];
}

export type RegexOptions = ExtractingRegexOptions | RegexOfAnswerOptions;

/**
 * Score 1 where what a pattern finds last in a complete response is the item's reference answer, white space around it aside; or
 * where the whole response matches the pattern that the reference answer is. A reference answer in which the pattern finds something
 * stands for that. A pattern that needs more than a second of a response gives a void verdict; one that is found to be so on long
 * runs of its own characters is refused. Throws `invalid-option`, `pattern-too-slow`.
 *
 * @example
 * const verifier = regex({ pattern: /Answer:\s*(\w+)/i, example: "Answer: {answer}" });
 */
export function regex(given: RegexOptions): Verifier {
  return typeof given === "object" && given !== null && "patternFrom" in given
    ? fromAnswer(given)
    : fromResponse(given);
}

function fromResponse(given: ExtractingRegexOptions): Verifier {
  const options = readOptions("regex()", extracting, given);
  const { example } = options;
  const pattern = patternOf(options.pattern, options.flags);
  const slow = slowText(pattern);
  if (slow !== undefined)
    throw userError(
      "pattern-too-slow",
      `regex(): ${pattern} does not come to an end on ${JSON.stringify(`${slow.slice(0, 3)}…`)}, ${slow.length} characters; write it without repeats inside repeats.`,
      { pattern: String(pattern) },
    );
  const group = options.group ?? (groupsOf(pattern) > 0 ? 1 : 0);
  checkGroup(pattern, group);
  const form = (text: string): string => (pattern.ignoreCase ? text.trim().toLowerCase() : text.trim());
  const find = (text: string): string | null | undefined => {
    const match = lastMatchOf(pattern, text);
    if (!match) return match;
    const found = typeof group === "number" ? match[group] : match.groups?.[group];
    return found === undefined ? null : form(found);
  };
  return comparing<string>({
    name: "regex",
    version: 1,
    description: { pattern: pattern.source, flags: pattern.flags, group },
    read: (answer): Reading<string> => {
      const reference = find(answer) ?? form(answer);
      return reference === "" ? { fault: "the answer is empty" } : { reference };
    },
    judge: (reference, text) => {
      const found = find(text);
      return found === undefined ? tooSlow(pattern) : found === reference;
    },
    same: (one, other) => one === other,
    rightForms: (_, answer) => [find(answer) ? answer : example.replaceAll("{answer}", () => answer.trim())],
    wrongForms: (_, answer) => [
      "I do not know.",
      example.replaceAll("{answer}", () => `not${answer.trim()}not`),
    ],
  });
}

function fromAnswer(given: RegexOfAnswerOptions): Verifier {
  const { flags: letters, canaries } = readOptions("regex()", perItem, given);
  const compared = comparing<RegExp>({
    name: "regex",
    version: 1,
    description: { patternFrom: "answer", flags: letters },
    read: (answer) => {
      try {
        return { reference: new RegExp(`^(?:${answer})$`, letters) };
      } catch (error) {
        return { fault: `${JSON.stringify(answer)} is not a pattern: ${(error as Error).message}` };
      }
    },
    judge: (reference, text) => {
      const match = lastMatchOf(reference, text.trim());
      return match === undefined ? tooSlow(reference) : match !== null;
    },
    same: (one, other) => one.source === other.source,
    rightForms: () => [],
    wrongForms: () => [],
  });
  return {
    ...compared,
    canaries: (item, others) => canariesOfOwn((canaries ?? []) as readonly OwnCanary[], item, others),
  };
}

function tooSlow(pattern: RegExp): Verdict {
  return { outcome: "void", reason: `the pattern ${pattern} needs more than a second of this response` };
}

function patternOf(pattern: string | RegExp, letters: string | undefined): RegExp {
  try {
    const own = typeof pattern === "string" ? "" : pattern.flags.replace(/[^imsuv]/g, "");
    return new RegExp(typeof pattern === "string" ? pattern : pattern.source, letters ?? own);
  } catch (error) {
    throw userError("invalid-option", `regex(): option "pattern": ${(error as Error).message}.`, {
      where: "regex()",
    });
  }
}

/** How many groups a pattern has: with an empty alternative it matches nothing, with every group. */
function groupsOf({ source, flags: letters }: RegExp): number {
  return (new RegExp(`${source}|`, letters).exec("")?.length ?? 1) - 1;
}

function checkGroup(pattern: RegExp, group: number | string): void {
  const names = Object.keys(new RegExp(`${pattern.source}|`, pattern.flags).exec("")?.groups ?? {});
  if (typeof group === "number" ? group <= groupsOf(pattern) : names.includes(group)) return;
  const has = `${groupsOf(pattern)} groups${names.length > 0 ? `, named ${names.join(", ")}` : ""}`;
  throw userError(
    "invalid-option",
    `regex(): option "group": ${pattern} has no group ${group}; it has ${has}.`,
    {
      where: "regex()",
    },
  );
}
