import type { Method } from "../method.ts";
import type { UpdatePart } from "../update/index.ts";
import { updateOf } from "./update-of.ts";

/** What most updates that compare responses need of a group. */
export const usualTeaching = "has two different responses with different rewards";

/** What a group has that teaches a method's lead, in words after "none of 16 groups"; of several ways to learn, what any of them needs. */
export function teachingOf({ passes, lead }: Pick<Method, "passes" | "lead">): string {
  const updates = passes.flatMap((pass): UpdatePart[] =>
    pass.roles.includes(lead) ? [updateOf(pass, lead)] : [],
  );
  const comparing = updates.filter(({ compared }) => compared !== undefined);
  const words = new Set(comparing.map(({ teaches = usualTeaching }) => teaches));
  return words.size === 0 ? usualTeaching : [...words].join(" or ");
}
