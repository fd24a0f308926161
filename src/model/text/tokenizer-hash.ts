import { sha256 } from "../../foundation/base/index.ts";

/** Identity of a tokenizer: its definition, and the tokens that begin and end a text. */
export function tokenizerHash(tokenizerJson: string, begin: number | undefined, end: number): string {
  return sha256(`${tokenizerJson}\0${begin ?? ""}\0${end}`);
}
