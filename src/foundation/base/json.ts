import { createHash } from "node:crypto";

export type Scalar = string | number | boolean | null;
export type Json = Scalar | readonly Json[] | { readonly [key: string]: Json | undefined };

/**
 * JSON with sorted keys and no spaces: the same value gives the same text on every machine. `undefined` members are
 * left out; what JSON cannot hold (NaN, infinities, a function) throws a TypeError instead of turning into `null` or nothing.
 */
export function canonicalJson(value: Json): string {
  if (value === null || typeof value === "string" || typeof value === "boolean") return JSON.stringify(value);
  if (typeof value === "number") {
    if (!Number.isFinite(value)) throw new TypeError(`JSON cannot hold ${value}`);
    return JSON.stringify(value);
  }
  if (typeof value !== "object") throw new TypeError(`JSON cannot hold a ${typeof value}`);
  if (isArray(value)) return `[${value.map(canonicalJson).join(",")}]`;
  const members = Object.keys(value)
    .sort()
    .flatMap((key) => {
      const member = value[key];
      return member === undefined ? [] : [`${JSON.stringify(key)}:${canonicalJson(member)}`];
    });
  return `{${members.join(",")}}`;
}

/** JSON with members in the order that they have; what JSON would change throws a TypeError, as in {@link canonicalJson}. */
export function strictJson(value: Json): string {
  return JSON.stringify(value, function (this: unknown, _key: string, member: unknown) {
    const fits =
      typeof member === "number"
        ? Number.isFinite(member)
        : member === undefined
          ? !Array.isArray(this)
          : ["string", "boolean", "object"].includes(typeof member);
    if (!fits)
      throw new TypeError(`JSON cannot hold ${typeof member === "number" ? member : `a ${typeof member}`}`);
    return member;
  });
}

function isArray(value: Json): value is readonly Json[] {
  return Array.isArray(value);
}

/** SHA-256 in lower-case hexadecimal. */
export function sha256(data: string | Uint8Array): string {
  return createHash("sha256").update(data).digest("hex");
}

/** SHA-256 of the canonical JSON of a value. */
export function hashOf(value: Json): string {
  return sha256(canonicalJson(value));
}
