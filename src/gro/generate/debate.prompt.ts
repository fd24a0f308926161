/** Follows the item, for models that read messages: what others responded to it. */
export function debateWords(others: readonly string[]): string {
  const shown = others.map((text, index) => `Agent ${index + 1}: ${text}`).join("\n\n");
  return `These are responses of others to it:\n\n${shown}\n\nThey may be right or wrong. Work it out anew with their help, and give your own response.`;
}
