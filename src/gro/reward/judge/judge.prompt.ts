/** What an answer is judged by, where no rubric is given: points that add up, after Self-Rewarding (arXiv 2401.10020, figure 2). */
export const usualRubric = `- 1 point if the answer is about what was asked and says something useful.
- 1 more if it covers a good part of what was asked.
- 1 more if it answers the question in all that matters.
- 1 more if it is correct, clear and to the point.
- 1 more if it could hardly be better: complete, correct, and without a superfluous word.`;

export function scoreWords(question: string, answer: string, rubric: string, most: number): string {
  return `Judge an answer to a question. Points add up, from 0 to ${most}:
${rubric}
Length alone earns nothing.

<question>
${question}
</question>
<answer>
${answer}
</answer>

Give your reasons in at most a hundred words. Then end with one line of this form:
Score: <points>`;
}

export function pairWords(question: string, first: string, second: string, rubric: string): string {
  return `Which of two answers to a question is better? Judge by this:
${rubric}
Neither the order in which they stand nor their length counts.

<question>
${question}
</question>
<answer-a>
${first}
</answer-a>
<answer-b>
${second}
</answer-b>

Give your reasons in at most a hundred words. Then end with one line of this form:
Better: A
or
Better: B`;
}

export function metaWords(
  question: string,
  answer: string,
  rubric: string,
  first: string,
  second: string,
): string {
  return `Two judges gave points to the same answer, by this rubric:
${rubric}

<question>
${question}
</question>
<answer>
${answer}
</answer>
<judgement-a>
${first}
</judgement-a>
<judgement-b>
${second}
</judgement-b>

Which judgement keeps to the rubric better, and has the better reasons for its points? The order in which they stand does not count. Give your reasons in at most a hundred words. Then end with one line of this form:
Better: A
or
Better: B`;
}
