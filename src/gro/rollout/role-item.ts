import type { Item, Prompting } from "../../foundation/contract/index.ts";

/**
 * What a role is asked about an item, as an item of its own: no answer is known to it, and the task's verifier never judges it. `role`
 * tells it from other questions about the same item.
 */
export function roleItem(item: Item, role: string, { prompt, messages }: Prompting): Item {
  const { answer: _, messages: __, ...rest } = item;
  return {
    ...rest,
    prompt,
    ...(messages === undefined ? {} : { messages }),
    canonical: `${role}:${item.canonical}`,
  };
}
