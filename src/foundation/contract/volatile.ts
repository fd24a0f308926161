import { z } from "zod";

/**
 * Marks what differs between two runs that are equal in all that counts: times, what the clock made of costs, process ids; or
 * a whole event that only an interruption brings. {@link isVolatile} finds it again.
 */
export function volatile<T extends z.ZodType>(schema: T): T {
  return schema.meta({ volatile: true }) as T;
}

/** Whether a schema, or a member of one, was marked by {@link volatile}. */
export function isVolatile(schema: z.ZodType): boolean {
  return z.globalRegistry.get(schema)?.volatile === true;
}
