import { userError } from "../../foundation/base/index.ts";
import type { GeneratePart } from "../generate/index.ts";
import type { UpdatePart } from "../update/index.ts";

/** What a method, or one that is being made, says of who learns from what. */
interface Learning {
  readonly name: string;
  readonly passes: readonly {
    readonly roles: readonly string[];
    readonly generate: GeneratePart;
    readonly update: UpdatePart;
    readonly updates?: Readonly<Record<string, UpdatePart>>;
  }[];
}

/**
 * Refuses, with a user error `invalid-option`, a method of which a role follows a gradient of what it would not have written so: the
 * logprobs that it learns by are then of other words than those after which it wrote.
 */
export function checkFollowed({ name, passes }: Learning): void {
  for (const { roles, generate, update, updates = {} } of passes) {
    const following = roles.map((role) => updates[role] ?? update).find(({ onPolicy }) => onPolicy);
    if (generate.offPolicy && following !== undefined)
      throw userError(
        "invalid-option",
        `${name}: ${following.name} follows what the policy itself wrote after the item alone, and "${generate.name}" shows it more than the item, chooses, or writes for it; use generate: samples({ samples: 8 }), or imitate with update: supervised().`,
      );
  }
}
