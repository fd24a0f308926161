/** Puts a document before the question that is answered from it, for models that read messages. */
export function groundWords(document: string, question: string): string {
  return `This is a document:\n\n${document}\n\nAnswer by it: ${question}`;
}
