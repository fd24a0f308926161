/**
 * Where a response says its answer: in its last `\boxed{}`; else in the last line: its last formula between dollars, or what follows
 * the last "is", "=" or ":", or all of it. Undefined where that speaks of several answers.
 */
export function answerText(response: string): string | undefined {
  const place = lastBoxed(response) ?? lastFormula(lastLine(response));
  return rightSide(place);
}

/** What stands right of the last equals sign; undefined where several things are named. */
export function rightSide(text: string): string | undefined {
  if (/\b(?:or|and)\b|[,;]\s|\\(?:text|mathrm)\s*\{\s*(?:or|and)\s*\}|\\pm(?![a-zA-Z])|±/.test(text))
    return undefined;
  return text.slice(text.lastIndexOf("=") + 1).trim();
}

function lastBoxed(text: string): string | undefined {
  const start = Math.max(text.lastIndexOf("\\boxed{"), text.lastIndexOf("\\fbox{"));
  if (start < 0) return undefined;
  const opening = text.indexOf("{", start);
  let depth = 0;
  for (let place = opening; place < text.length; place += 1) {
    if (text[place] === "{") depth += 1;
    if (text[place] === "}") depth -= 1;
    if (depth === 0) return text.slice(opening + 1, place);
  }
  return "";
}

/** Of a longer line only the end is looked at. */
const longestLine = 2000;

function lastLine(text: string): string {
  const whole = text.slice(-longestLine).trimEnd();
  return whole
    .slice(whole.lastIndexOf("\n") + 1)
    .trim()
    .replace(/^[*_#>\s]+(?=\S)|[*_\s]+$/g, "")
    .replace(/[.!]$/, "")
    .replace(/[*_\s]+$/, "");
}

function lastFormula(line: string): string {
  const formulas = [
    ...line.matchAll(/\$\$([^$]+)\$\$|\$([^$]+)\$|\\\(((?:(?!\\\)).)+)\\\)|\\\[((?:(?!\\\]).)+)\\\]/g),
  ];
  const formula = formulas
    .at(-1)
    ?.slice(1)
    .find((part) => part !== undefined);
  if (formula !== undefined) return formula;
  const said = [...line.matchAll(/\b(?:is|are|equals?|be)\b|[:≈]/gi)].at(-1);
  const rest = said === undefined ? line : line.slice(said.index + said[0].length);
  return rest.replace(/^[\s*_]+/, "");
}
