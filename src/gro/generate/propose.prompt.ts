import type { Item, Message } from "../../foundation/contract/index.ts";

/** Asks for a new problem like those that are shown, for models that read messages. */
export function proposeMessages(known: readonly Item[]): readonly Message[] {
  const examples = known.map(({ prompt }, index) => `${index + 1}. ${prompt}`).join("\n");
  return [
    {
      role: "user",
      content: `Here are some problems:\n${examples}\n\nWrite one more of the same kind that is none of these, and as hard as it can be while it can still be solved. Write the problem alone, in the same form.`,
    },
  ];
}
