import { z } from "zod";
import type { GeneratePart } from "../generate/index.ts";
import type { RewardPart } from "../reward/index.ts";
import { type UpdatePart, waysToLearn } from "../update/index.ts";

/** What a part of a kind must have: a name for it, and whether a value is one. */
type Members<T> = {
  readonly [K in keyof T]?: readonly [expected: string, fits: (value: unknown) => boolean];
};

const aFunction = ["a function", (value: unknown) => typeof value === "function"] as const;
const anObject = ["an object", (value: unknown) => typeof value === "object" && value !== null] as const;
const aText = ["a text", (value: unknown) => typeof value === "string" && value !== ""] as const;
const count = (least: number) =>
  [
    `a whole number from ${least} up`,
    (value: unknown) => Number.isInteger(value) && Number(value) >= least,
  ] as const;
const oneOf = (...choices: readonly string[]) =>
  [
    choices.map((choice) => JSON.stringify(choice)).join(" or "),
    (value: unknown) => choices.includes(String(value)),
  ] as const;

const generateMembers: Members<GeneratePart> = {
  name: aText,
  description: anObject,
  samplesPerItem: count(0),
  generate: aFunction,
};
const rewardMembers: Members<RewardPart> = {
  name: aText,
  description: anObject,
  origin: oneOf("external", "self-derived"),
  peers: count(1),
  reward: aFunction,
};
const updateMembers: Members<UpdatePart> = {
  name: aText,
  description: anObject,
  learnsBy: oneOf(...waysToLearn),
  optimizerState: oneOf("own", "continued", "fresh"),
  steps: aFunction,
  update: aFunction,
};

/** What is missing of a part that somebody wrote, in words that follow its name; undefined where nothing is. */
function missingOf<T>(members: Members<T>, value: object): string | undefined {
  const entries = Object.entries(members) as [string, NonNullable<Members<T>[keyof T]>][];
  const wrong = entries.filter(([member, [, fits]]) => !fits(Reflect.get(value, member)));
  return wrong.length === 0
    ? undefined
    : wrong.map(([member, [expected]]) => `"${member}", ${expected}`).join("; ");
}

function partWith<T extends object>(does: string, example: string, members: Members<T>): z.ZodCustom<T, T> {
  return z.custom<T>().superRefine((value: unknown, context) => {
    if (typeof value !== "object" || value === null || typeof Reflect.get(value, does) !== "function") {
      context.addIssue({ code: "custom", message: `expected a part that can ${does}, such as ${example}` });
      return;
    }
    const missing = missingOf(members, value);
    if (missing === undefined) return;
    const name = JSON.stringify(String(Reflect.get(value, "name") ?? "without a name"));
    context.addIssue({ code: "custom", message: `the part ${name} lacks ${missing}` });
  }) as z.ZodCustom<T, T>;
}

/** For the options of methods: a part of each kind. */
export const generatePart = partWith("generate", "greedy()", generateMembers);
export const rewardPart = partWith("reward", "verifier()", rewardMembers);
export const updatePart = partWith("update", "supervised()", updateMembers);

/** What the parts of a pass lack that was written by hand, in words; undefined where nothing is. */
export function whatPartsLack(pass: {
  readonly generate: GeneratePart;
  readonly reward: RewardPart;
  readonly update: UpdatePart;
  readonly updates?: Readonly<Record<string, UpdatePart>>;
}): string | undefined {
  const parts = [
    [generatePart, pass.generate],
    [rewardPart, pass.reward],
    ...[pass.update, ...Object.values(pass.updates ?? {})].map((update) => [updatePart, update] as const),
  ] as const;
  for (const [schema, part] of parts) {
    const { error } = schema.safeParse(part);
    if (error !== undefined) return error.issues[0]?.message;
  }
  return undefined;
}
