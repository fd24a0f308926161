import { createContext, Script } from "node:vm";

/** A response is matched with a pattern in microseconds; what takes this long might not end. */
const limitMs = 1000;

const lastMatch = new Script(`{
  let last = null;
  for (let match = pattern.exec(text); match !== null; match = pattern.exec(text)) {
    last = match;
    if (match[0] === "") pattern.lastIndex += 1;
  }
  last;
}`);
const place = createContext({});

/**
 * The last match of a pattern, null where there is none; undefined where it takes a second: some patterns need time that doubles
 * with every character (`(a+)+$`). JavaScript's own engine is stopped from outside, so every pattern that it knows may be used.
 */
export function lastMatchOf(pattern: RegExp, text: string): RegExpExecArray | null | undefined {
  const flags = new Set([...pattern.flags, "g"]);
  flags.delete("y");
  Object.assign(place, { pattern: new RegExp(pattern.source, [...flags].join("")), text });
  try {
    return lastMatch.runInContext(place, { timeout: limitMs }) as RegExpExecArray | null;
  } catch {
    return undefined;
  }
}

/**
 * A text of which a pattern needs a second or more; undefined where none is found. Tries long runs of the characters that the
 * pattern speaks of, which is where nested repeats do not end.
 */
export function slowText(pattern: RegExp): string | undefined {
  const characters = new Set(["a", "0", " ", "_", ...pattern.source.replace(/[\\^$.*+?()[\]{}|]/g, "")]);
  const texts = [...characters].slice(0, 40).map((character) => `${character.repeat(500)}\u0000`);
  return texts.find((text) => lastMatchOf(pattern, text) === undefined);
}
