/** A piece of HTML that is safe as it is. Only {@link html} and {@link raw} make one. */
export interface Markup {
  readonly markup: string;
}

/** What may stand in a template: text is escaped, markup is not, lists are joined, and what is not there leaves nothing. */
export type Content = string | number | Markup | readonly Content[] | null | undefined | false;

/**
 * HTML whose every inserted text is escaped; it is right between tags and inside quoted attributes.
 *
 * @example
 * html`<p title="${anything}">${anything}</p>`.markup
 */
export function html(strings: TemplateStringsArray, ...values: readonly Content[]): Markup {
  return { markup: strings.map((part, index) => part + markupOf(values[index])).join("") };
}

/** Our own text, taken as it is: style sheets. Never for what came from elsewhere. */
export function raw(markup: string): Markup {
  return { markup };
}

/** A sentence in which what stands between two backticks is code, as it is written for terminals. */
export function prose(text: string): Content {
  const pieces = text.split("`");
  // An odd one has no other: it is the text's own.
  if (pieces.length % 2 === 0) return text;
  return pieces.map((piece, index) => (index % 2 === 1 ? html`<code>${piece}</code>` : piece));
}

function markupOf(value: Content): string {
  if (value === null || value === undefined || value === false) return "";
  if (typeof value === "string") return escapeText(value);
  if (typeof value === "number") return String(value);
  if ("markup" in value) return value.markup;
  return value.map(markupOf).join("");
}

const entities: Readonly<Record<string, string>> = {
  "&": "&amp;",
  "<": "&lt;",
  ">": "&gt;",
  '"': "&quot;",
  "'": "&#39;",
  "`": "&#96;",
};

/** Characters that would change how the text around them is read or written, and may not do so unseen. */
const unseen = /[\p{Cc}\u200e\u200f\u2028\u2029\u202a-\u202e\u2066-\u2069]/gu;

/** Text for HTML: what is markup is escaped, and what cannot be seen is shown, as `␀` or `⟨U+202E⟩`. */
export function escapeText(text: string): string {
  return text
    .toWellFormed()
    .replace(unseen, visible)
    .replace(/[&<>"'`]/g, (character) => entities[character] ?? character);
}

function visible(character: string): string {
  if (character === "\n" || character === "\t") return character;
  const code = character.codePointAt(0) ?? 0;
  if (code < 0x20) return String.fromCodePoint(0x2400 + code);
  if (code === 0x7f) return "␡";
  return `⟨U+${code.toString(16).toUpperCase().padStart(4, "0")}⟩`;
}

/** A text that a page can bear: its beginning, and how much was left out. */
export function shortened(text: string, most: number): string {
  if (text.length <= most) return text;
  const kept = text.slice(0, most).toWellFormed();
  return `${kept}… (${(text.length - most).toLocaleString("en-US")} more characters)`;
}
