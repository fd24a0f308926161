import type { Item, Message, Response } from "../../foundation/contract/index.ts";

/** The item again, with what others responded, for models that read messages. */
export function debateMessages({ prompt, messages }: Item, others: readonly Response[]): readonly Message[] {
  const asked = messages ?? [{ role: "user", content: prompt }];
  const last = asked.at(-1);
  const shown = others.map(({ text }, index) => `Agent ${index + 1}: ${text}`).join("\n\n");
  const content = `${last?.content ?? prompt}\n\nThese are responses of others to it:\n\n${shown}\n\nThey may be right or wrong. Work it out anew with their help, and give your own response.`;
  return [...asked.slice(0, -1), { role: last?.role ?? "user", content }];
}
