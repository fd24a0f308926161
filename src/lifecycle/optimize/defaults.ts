import { z } from "zod";
import type { Json } from "../../foundation/base/index.ts";

/** What options are where a call leaves them out: null where nothing takes their place, or the task and the items say what does. */
export type Defaults = Readonly<Record<string, Json>>;

/** Every option of a method that is no part of it, as it is by default; its parts tell their own. */
export function defaultsOf(options: z.ZodObject): Defaults {
  const read = options.parse({}) as Readonly<Record<string, Json>>;
  return Object.fromEntries(
    Object.entries(options.shape).flatMap(([option, member]): (readonly [string, Json])[] => {
      const value = read[option];
      if (value === undefined && isPart(member)) return [];
      return [[option, value ?? null]];
    }),
  );
}

/** A value of code, such as a reward. */
function isPart(member: unknown): boolean {
  return member instanceof z.ZodOptional && member.unwrap() instanceof z.ZodCustom;
}
