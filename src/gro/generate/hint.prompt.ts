import type { Item, Message } from "../../foundation/contract/index.ts";

/** The item with its answer shown, for models that read messages. */
export function hintMessages({ prompt, messages, answer = "" }: Item): readonly Message[] {
  const asked = messages ?? [{ role: "user", content: prompt }];
  const last = asked.at(-1);
  const hinted = `${last?.content ?? prompt}\n\nThe correct answer is: ${answer}\nWork towards it step by step, as if nobody had told you, and end with the answer itself.`;
  return [...asked.slice(0, -1), { role: last?.role ?? "user", content: hinted }];
}
