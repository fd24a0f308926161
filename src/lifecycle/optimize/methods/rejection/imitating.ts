import { userError } from "../../../../foundation/base/index.ts";
import type { UpdatePart } from "../../../../gro/update/index.ts";

/** Refuses, with a user error `invalid-option`, an update that does not learn from what a reward kept, and from that alone. */
export function checkImitating(method: string, update: UpdatePart): void {
  if (update.learnsBy !== "imitation")
    throw userError(
      "invalid-option",
      `${method}: "update" must imitate what is kept, such as supervised(), not ${update.name}.`,
    );
  if ("on" in update)
    throw userError(
      "invalid-option",
      `${method}: "update" learns from what the reward keeps; "on" is for "prepare", and demonstrations come into a round with acquire: [demonstrations()].`,
    );
}
