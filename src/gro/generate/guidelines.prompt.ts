/** General advice on how to reason, of no task in particular. */
export const usualGuidelines: readonly string[] = [
  "Break the problem into smaller parts, and solve these one after the other.",
  "Work step by step, and write down what each step gives.",
  "Say what is given and what is wanted before you begin.",
  "Simplify the problem first, and come back to the whole from there.",
  "Name the rule or principle that applies, and apply it.",
  "Work backwards from what is wanted to what is given.",
  "Look for what could go wrong, and check each step against it.",
  "Think of a similar problem that you can solve, and carry its solution over.",
];

/** From a general guideline to one of this problem, for models that read messages. */
export function adaptWords(guideline: string): string {
  return `Do not solve this yet. Say in one or two sentences what this general guideline means for it: ${guideline}`;
}

/** From a guideline of this problem to a plan. */
export function planWords(guideline: string): string {
  return `Do not solve this yet. Make a short plan of steps for it, by this guideline: ${guideline}`;
}

/** From a plan to a solution. */
export function followWords(plan: string): string {
  return `Solve this step by step, along this plan, and end with the answer itself:\n\n${plan}`;
}
