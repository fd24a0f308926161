import { userError } from "../../../../foundation/base/index.ts";
import type { UpdatePart } from "../../../../gro/update/index.ts";

/** Refuses, with a user error `invalid-option`, an update that does not learn from preferences. */
export function checkPreferring(method: string, update: UpdatePart): void {
  if (update.learnsBy !== "preference")
    throw userError(
      "invalid-option",
      `${method}: "update" must learn from preferences, such as preference(), not ${update.name}.`,
    );
}
