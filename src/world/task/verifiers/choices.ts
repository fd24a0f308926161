/** One of the answers that may be chosen. */
export interface Choice {
  /** `A`, `B`, …; undefined where choices have no letters. */
  readonly letter: string | undefined;
  readonly text: string | undefined;
}

const letterPattern = /^\W*([A-Z])\W*$/i;

/** The letter that a short text is: `B`, `(b)`, `B.`. */
export function letterOf(text: string): string | undefined {
  return letterPattern.exec(text.trim())?.[1]?.toUpperCase();
}

/** Choices that a prompt lists, a line each: `A) Paris`, `(B) Rome`, `C. Oslo`. */
export function choicesIn(prompt: string): Choice[] {
  const listed = [...prompt.matchAll(/^[ \t]*(?:[-*][ \t]+)?\(?([A-Z])[).:][ \t]+(\S.*)$/gm)].map(
    ([, letter, text = ""]) => ({ letter, text: text.trim() }),
  );
  const inOrder = listed.every(({ letter }, index) => letter === String.fromCharCode(65 + index));
  return listed.length >= 2 && inOrder ? listed : [];
}

/** A text as it is compared: case, spaces, quotes and a full stop at its end do not count. */
export function plainChoice(text: string): string {
  return text
    .normalize("NFC")
    .toLowerCase()
    .replace(/\s+/g, " ")
    .replace(/^[\s"'“”‘’*_`$]+|[\s"'“”‘’*_`$.!]+$/g, "");
}

/**
 * The index of the one choice that a text mentions; undefined where it mentions none, or two different ones. A choice is mentioned
 * by its text, or by its letter where that stands by itself; not right after "not".
 */
export function mentioned(text: string, choices: readonly Choice[]): number | undefined {
  const whole = letterOf(text);
  const byLetter = whole === undefined ? -1 : choices.findIndex(({ letter }) => letter === whole);
  const byText = choices.findIndex(
    (choice) => choice.text !== undefined && plainChoice(choice.text) === plainChoice(text),
  );
  if (byText >= 0) return byText;
  if (byLetter >= 0) return byLetter;
  const found = new Set([...letterMentions(text, choices), ...textMentions(text, choices)]);
  return found.size === 1 ? [...found][0] : undefined;
}

/** `(B)`, `**B**`, `B)`, `B:`, or `B.` at the beginning of a line. */
function letterMentions(text: string, choices: readonly Choice[]): number[] {
  const forms =
    /(?<![\p{L}\p{N}])(?:\(([A-Z])\)|\*\*\(?([A-Z])\)?[.:]?\*\*|([A-Z])\))|^\W{0,3}([A-Z])(?:[.:]|\W*$)/gmu;
  return [...text.matchAll(forms)].flatMap((match) => {
    if (isDenied(text, match.index)) return [];
    const letter = match.slice(1).find((group) => group !== undefined);
    const index = choices.findIndex((choice) => choice.letter === letter);
    return index < 0 ? [] : [index];
  });
}

/** Texts as whole words, longer ones first, so that "New York" is no mention of "York". */
function textMentions(text: string, choices: readonly Choice[]): number[] {
  const entries = choices
    .flatMap((choice, index) =>
      choice.text === undefined ? [] : [{ plain: plainChoice(choice.text), index }],
    )
    .filter(({ plain }) => plain.length > 1 || /\p{N}/u.test(plain))
    .sort((a, b) => b.plain.length - a.plain.length);
  if (entries.length === 0) return [];
  const words = entries.map(({ plain }) =>
    plain.replace(/[.*+?^${}()|[\]\\/-]/g, "\\$&").replaceAll(" ", "\\s+"),
  );
  const pattern = new RegExp(
    `(?<![\\p{L}\\p{N}])(?:${words.map((word) => `(${word})`).join("|")})(?![\\p{L}\\p{N}])`,
    "gu",
  );
  const lower = text.normalize("NFC").toLowerCase();
  return [...lower.matchAll(pattern)].flatMap((match) => {
    if (isDenied(lower, match.index)) return [];
    const entry = entries[match.slice(1).findIndex((group) => group !== undefined)];
    return entry === undefined ? [] : [entry.index];
  });
}

function isDenied(text: string, index: number): boolean {
  return /(?:\bnot|n't|\bnor|\bneither)\s+(?:an?\s+|the\s+)?["'“(*]*$/i.test(
    text.slice(Math.max(0, index - 24), index),
  );
}
