import { isOpen, type Question } from "../../loop/oversight/index.ts";

/** Questions that wait for a person, the oldest first. */
export function openIn({ questions }: { readonly questions: readonly Question[] }): readonly Question[] {
  return questions.filter(isOpen);
}

/** A question that waits, and the two commands that answer it. `where` is the project folder as the commands need it. */
export function questionWords({ id, text }: Pick<Question, "id" | "text">, where = "."): string[] {
  const place = where === "." ? "" : ` ${quoted(where)}`;
  return [
    `${id} waits for a person: ${text}?`,
    `whetstone approve ${id}${place}`,
    `whetstone reject ${id}${place} --why "…"`,
  ];
}

/** What became of a question, in a word or two. */
export function answerWord({ answer, givenUp }: Pick<Question, "answer" | "givenUp">): string {
  if (answer !== null) return answer.answer === "approve" ? "approved" : "rejected";
  return givenUp ? "given up" : "waits";
}

/** As a shell takes it. */
function quoted(path: string): string {
  return /^[\w@%+=:,./-]+$/.test(path) ? path : `'${path.replaceAll("'", "'\\''")}'`;
}
