/** Asks for a new problem that these documents answer, for models that read messages. */
export function proposeFromWords(documents: readonly string[], example: string): string {
  return `Read this:\n\n${documents.join("\n\n")}\n\nWrite one problem that it holds the answer to, in the form of this one:\n${example}\n\nWhoever solves it sees the problem alone, so say in it all that is needed. Make it as hard as it can be while it can still be solved. Write the problem alone, in the same form.`;
}
