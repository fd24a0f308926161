/**
 * Writes arithmetic.jsonl, 1,000 questions with their answers: `node examples/smollm/make-arithmetic.ts`. All 66 products, and
 * as many sums as differences; no question twice, in either order. The same on every machine: what a hash puts first.
 */
import { createHash } from "node:crypto";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { arithmetic, type Problem } from "whetstone";

const lines = 1000;

/** The whole file, a line feed after each line. */
export function arithmeticLines(): string {
  const task = arithmetic();
  const digestOf = (problem: Problem): string =>
    createHash("sha256")
      .update(`arithmetic.jsonl ${task.canonical(problem)}`)
      .digest("hex");
  const byHash = (problems: Iterable<Problem>): { digest: string; problem: Problem }[] =>
    Array.from(problems, (problem) => ({ digest: digestOf(problem), problem })).sort((a, b) =>
      a.digest < b.digest ? -1 : 1,
    );
  const [products = [], ...others] = task.strata.map(({ difficulty }) => byHash(task.enumerate(difficulty)));
  const each = (lines - products.length) / others.length;
  return [products, ...others.map((problems) => problems.slice(0, each))]
    .flat()
    .sort((a, b) => (a.digest < b.digest ? -1 : 1))
    .map(({ digest, problem: { prompt, answer, difficulty } }) => {
      // The task lists the smaller operand first; half of the questions have it second.
      const asked = Number.parseInt(digest.slice(-1), 16) % 2 === 0 ? prompt : turned(prompt);
      return `${JSON.stringify({ prompt: asked, answer, kind: task.strata[difficulty - 1]?.name })}\n`;
    })
    .join("");
}

function turned(prompt: string): string {
  return prompt.replace(/(\d+) ([*+]) (\d+)/, "$3 $2 $1");
}

if (process.argv[1] === import.meta.filename)
  writeFileSync(join(import.meta.dirname, "arithmetic.jsonl"), arithmeticLines());
