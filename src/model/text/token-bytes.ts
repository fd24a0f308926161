import { partsOf, type TokenizerDefinition } from "./tokenizer-json.ts";

const encoder = new TextEncoder();

/**
 * Which byte each character of a byte-level vocabulary stands for: the printable ones of Latin-1 for themselves, the 68
 * others for characters from U+0100 on, in order (GPT-2, `bytes_to_unicode`).
 */
export const byteOfCharacter: ReadonlyMap<string, number> = byteMap();

function byteMap(): Map<string, number> {
  const map = new Map<string, number>();
  let moved = 0x100;
  for (let byte = 0; byte < 256; byte++) {
    const printable = (byte > 0x20 && byte < 0x7f) || (byte > 0xa0 && byte !== 0xad);
    map.set(String.fromCharCode(printable ? byte : moved++), byte);
  }
  return map;
}

export function isByteLevel({ decoder, pre_tokenizer }: TokenizerDefinition): boolean {
  return [...partsOf(decoder), ...partsOf(pre_tokenizer)].some(({ type }) => type === "ByteLevel");
}

export function hasByteFallback({ decoder, model }: TokenizerDefinition): boolean {
  return model.byte_fallback === true || partsOf(decoder).some(({ type }) => type === "ByteFallback");
}

/**
 * The bytes that each token id stands for, as in the middle of a text: byte-level vocabularies by their map,
 * SentencePiece's by `▁` for a space and `<0xNN>` for a byte, others as they are written. Empty for special tokens and
 * for ids that have no token.
 */
export function bytesOfTokens(
  vocabulary: ReadonlyMap<string, number>,
  definition: TokenizerDefinition,
): readonly Uint8Array[] {
  const added = new Map(definition.added_tokens.map((token) => [token.id, token]));
  const ofToken = bytesOfToken(definition);
  const bytes: Uint8Array[] = [];
  for (const [token, id] of vocabulary) {
    if (token === undefined) continue;
    const one = added.get(id);
    while (bytes.length <= id) bytes.push(new Uint8Array(0));
    if (one?.special !== true) bytes[id] = one === undefined ? ofToken(token) : encoder.encode(one.content);
  }
  return bytes;
}

function bytesOfToken(definition: TokenizerDefinition): (token: string) => Uint8Array {
  if (isByteLevel(definition))
    return (token) =>
      Uint8Array.from(
        [...token].flatMap((character) => byteOfCharacter.get(character) ?? [...encoder.encode(character)]),
      );
  const fallback = hasByteFallback(definition);
  const replaced = replacements(definition);
  return (token) => {
    const byte = fallback ? /^<0x([0-9A-Fa-f]{2})>$/.exec(token)?.[1] : undefined;
    if (byte !== undefined) return Uint8Array.of(Number.parseInt(byte, 16));
    return encoder.encode(replaced.reduce((text, [from, to]) => text.replaceAll(from, to), token));
  };
}

/** What the decoder writes in place of what stands in the vocabulary, such as a space for `▁`. */
function replacements({ decoder }: TokenizerDefinition): (readonly [from: string, to: string])[] {
  return partsOf(decoder).flatMap((part) => {
    if (part.type === "Metaspace") return [[String(part.replacement ?? "▁"), " "] as const];
    const { String: from } = (part.type === "Replace" ? part.pattern : {}) as { String?: unknown };
    return typeof from === "string" ? [[from, String(part.content ?? "")] as const] : [];
  });
}
