import type { Message } from "../../../foundation/contract/index.ts";

interface Asked {
  readonly prompt: string;
  readonly messages?: readonly Message[] | undefined;
}

/**
 * The identity of what is asked: the texts in Unicode's composed form (NFC), each stretch of white space as one space. A
 * prompt is its text; a conversation its roles and texts.
 */
export function canonicalOf({ prompt, messages }: Asked): string {
  if (messages === undefined) return normal(prompt);
  return JSON.stringify(messages.map(({ role, content }) => [role, normal(content)]));
}

/** White space other than single spaces between words. */
const loose = /\s\s|[^\S ]|^\s|\s$/u;

function normal(text: string): string {
  const composed = text.normalize("NFC");
  // Most texts are so already, and then need no copy.
  return loose.test(composed) ? composed.replace(/\s+/gu, " ").trim() : composed;
}
