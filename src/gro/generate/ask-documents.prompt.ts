/** Asks for a question about a document, for models that read messages. */
export function askWords(document: string): string {
  return `This is a document:\n\n${document}\n\nWrite one question that it answers, and that can be understood without it. Write the question alone.`;
}
