/** Follows the item, for models that read messages: its answer is shown. */
export function hintWords(answer: string): string {
  return `The correct answer is: ${answer}\nWork towards it step by step, as if nobody had told you, and end with the answer itself.`;
}
