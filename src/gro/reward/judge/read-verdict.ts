/** The points that a judgement ends with; undefined where it names none between 0 and `most`. */
export function readScore(text: string, most: number): number | undefined {
  const named = [...text.matchAll(/\bscore\W{0,6}(\d+(?:\.\d+)?)/gi)].at(-1)?.[1];
  const score = Number(named ?? Number.NaN);
  return score >= 0 && score <= most ? score : undefined;
}

/** Which of two a judgement finds better: true for the first; undefined where it does not say. */
export function readBetter(text: string): boolean | undefined {
  const named = [...text.matchAll(/\bbetter\W{0,6}([AB])\b/gi)].at(-1)?.[1];
  return named === undefined ? undefined : named.toUpperCase() === "A";
}
