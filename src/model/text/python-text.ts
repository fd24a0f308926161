/**
 * What templates do to texts, as Python does it. JavaScript's own differ in what counts as white space, in the
 * characters that can be named to strip, in capitals and in what a length counts.
 */

/** `str.isspace`: what JavaScript calls space without the byte order mark, and five old separators. */
const isSpace = (character: string): boolean =>
  (/\s/.test(character) && character !== "\ufeff") || "\x1c\x1d\x1e\x1f\x85".includes(character);

type Side = "both" | "left" | "right";

function strip(side: Side, text: unknown, characters: unknown): string {
  const letters = [...textOf(text, "strip")];
  const named = typeof characters === "string" ? new Set(characters) : undefined;
  const goes = (letter: string | undefined): boolean =>
    letter !== undefined && (named === undefined ? isSpace(letter) : named.has(letter));
  let [start, end] = [0, letters.length];
  while (side !== "right" && start < end && goes(letters[start])) start += 1;
  while (side !== "left" && end > start && goes(letters[end - 1])) end -= 1;
  return letters.slice(start, end).join("");
}

/** One capital, then small letters: of a letter that becomes two, such as ß, only the first is capital. */
function capitalize(text: unknown): string {
  const [first = "", ...rest] = textOf(text, "capitalize");
  const [capital = "", ...others] = first.toUpperCase();
  return capital + others.join("").toLowerCase() + rest.join("").toLowerCase();
}

function textOf(value: unknown, method: string): string {
  if (typeof value === "string") return value;
  throw new TypeError(`${value === undefined ? "an undefined value" : "what is no text"} has no ${method}()`);
}

function length(value: unknown): number {
  if (typeof value === "string") return [...value].length;
  if (Array.isArray(value)) return value.length;
  if (value instanceof Map) return value.size;
  if (value === undefined) return 0;
  throw new TypeError("length of what is no text, list or mapping");
}

export type PythonFunction = (value: unknown, ...rest: readonly unknown[]) => string | number;

/** Methods of `str`: the text comes first. */
export const pythonMethods: Readonly<Record<string, PythonFunction>> = {
  strip: (text, characters) => strip("both", text, characters),
  lstrip: (text, characters) => strip("left", text, characters),
  rstrip: (text, characters) => strip("right", text, characters),
  capitalize,
  // Letters that follow no letter, or one that has no case, are capital, all others small.
  title: (text) => textOf(text, "title").replaceAll(/\p{Cased}+/gu, (word) => capitalize(word)),
};

/** Filters of Jinja, whose `title` begins a word only after a space, a dash or an opening bracket. */
export const pythonFilters: Readonly<Record<string, PythonFunction>> = {
  trim: (text, characters) => strip("both", text, characters),
  capitalize,
  title: (text) => textOf(text, "title").replaceAll(/[^-\s({[<]+/gu, (word) => capitalize(word)),
  length,
  count: length,
};
