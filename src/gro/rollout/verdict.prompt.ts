import type { Item, Message, Response } from "../../foundation/contract/index.ts";

/** Whether a response, or the beginning of one, is right, for models that read messages: to be answered by one word. */
export function verdictMessages(
  { prompt, messages }: Pick<Item, "prompt" | "messages">,
  { text }: Response,
  [right, wrong]: readonly [right: string, wrong: string],
): readonly Message[] {
  const asked = (messages ?? [{ role: "user", content: prompt }]).map(({ content }) => content).join("\n\n");
  const content = `This was asked:\n\n${asked}\n\nThis was responded:\n\n${text}\n\nIs it right? Answer with one word, ${right} or ${wrong}.`;
  return [{ role: "user", content }];
}
