import { hashOf, type Json, sha256 } from "../../foundation/base/index.ts";

/**
 * Identity of a tokenizer: its definition, and the tokens that begin and end a text; of a model that was taught more, also
 * its chat template with what it reads, and the other tokens that end a response.
 */
export function tokenizerHash(
  tokenizerJson: string,
  begin: number | undefined,
  end: number,
  taught: Readonly<Record<string, Json>> = {},
): string {
  const more = Object.keys(taught).length === 0 ? "" : `\0${hashOf(taught)}`;
  return sha256(`${tokenizerJson}\0${begin ?? ""}\0${end}${more}`);
}
