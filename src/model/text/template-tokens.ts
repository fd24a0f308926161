import type { Render } from "./chat-format.ts";
import type { TokenizerDefinition } from "./tokenizer-json.ts";

type AddedToken = TokenizerDefinition["added_tokens"][number];

/** A content that no template writes by itself. */
const marker = "Wq7Wq";

/** The token that a template writes after an assistant's message; undefined where it writes none, or cannot be asked. */
export function endTokenWritten(render: Render, added: readonly AddedToken[]): number | undefined {
  const [, after] = around(render, [
    { role: "user", content: "?" },
    { role: "assistant", content: marker },
  ]);
  // Template words such as <think> may be tokens too: those that are called special come first.
  return (firstIn(after, added.filter(isSpecial)) ?? firstIn(after, added))?.id;
}

/** Texts that no message may hold: special tokens, the end token, and what the template opens a message with. */
export function reservedTokens(render: Render, added: readonly AddedToken[], endToken: number): string[] {
  const [before] = around(render, [{ role: "user", content: marker }]);
  return added
    .filter((token) => token.special || token.id === endToken || before.includes(token.content))
    .map(({ content }) => content)
    .filter((content) => content.trim() !== "");
}

const isSpecial = ({ special }: AddedToken): boolean => special;

/** What stands before and after the marker; nothing where the template refuses. */
function around(render: Render, messages: Parameters<Render>[0]): [before: string, after: string] {
  let text: string;
  try {
    text = render(messages);
  } catch {
    return ["", ""];
  }
  const place = text.lastIndexOf(marker);
  return place < 0 ? ["", ""] : [text.slice(0, place), text.slice(place + marker.length)];
}

function firstIn(text: string, tokens: readonly AddedToken[]): AddedToken | undefined {
  let [first, place]: [AddedToken | undefined, number] = [undefined, Number.POSITIVE_INFINITY];
  for (const token of tokens) {
    const found = token.content.trim() === "" ? -1 : text.indexOf(token.content);
    const longer = found === place && token.content.length > (first?.content.length ?? 0);
    if (found >= 0 && (found < place || longer)) [first, place] = [token, found];
  }
  return first;
}
