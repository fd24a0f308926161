/** Follows what is asked, for models that read messages: how to search, and what was found so far. */
export function searchWords(found: readonly string[]): string {
  const how =
    "Where you need to know more, write one line that begins with SEARCH: and says what to look for, and nothing else; else answer.";
  if (found.length === 0) return how;
  return `This was found:\n\n${found.join("\n\n")}\n\n${how}`;
}

/** What such a line looks for; undefined where there is none. */
export function queryIn(text: string): string | undefined {
  return /^\s*SEARCH:\s*(\S.*)$/im.exec(text)?.[1]?.trim();
}
