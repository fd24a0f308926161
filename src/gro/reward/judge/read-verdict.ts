/** The points that a judgement's last `Score:` line gives; undefined where it names none between 0 and `most`. */
export function readScore(text: string, most: number): number | undefined {
  const [, points, of = `${most}`] =
    /^(\d+(?:\.\d+)?)(?:\s*(?:\/|out of)\s*(\d+))?(?:\s*points?)?$/i.exec(lineOf(text, "score")) ?? [];
  const score = Number(points ?? Number.NaN);
  // A judge who counts out of something else was not asked so.
  return score <= most && Number(of) === most ? score : undefined;
}

/** Which of two a judgement's last `Better:` line finds better: true for the first; undefined where it does not say. */
export function readBetter(text: string): boolean | undefined {
  const named = lineOf(text, "better").toUpperCase();
  return named === "A" ? true : named === "B" ? false : undefined;
}

/** What stands after the last `Name:`, to the end of its line, without marks of emphasis and a full stop; nothing where there is none. */
function lineOf(text: string, name: "score" | "better"): string {
  const lines = text.matchAll(new RegExp(`^(?:.*[^a-z])?${name}[*_\`]*:(.*)$`, "gim"));
  const said = [...lines].at(-1)?.[1] ?? "";
  return said
    .replace(/[*_`<>[\]()"]/g, "")
    .trim()
    .replace(/\.$/, "");
}
