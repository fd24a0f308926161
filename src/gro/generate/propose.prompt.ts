/** Asks for a new problem like those that are shown, for models that read messages. */
export function proposeWords(known: readonly string[]): string {
  const examples = known.map((prompt, index) => `${index + 1}. ${prompt}`).join("\n");
  return `Here are some problems:\n${examples}\n\nWrite one more of the same kind that is none of these, and as hard as it can be while it can still be solved. Write the problem alone, in the same form.`;
}
