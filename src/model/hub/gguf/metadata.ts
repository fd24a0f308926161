import { invalidGguf } from "./gguf-error.ts";
import type { Gguf } from "./read-gguf.ts";

/** What a GGUF file says under a name, if it says it and it is of that kind. */
export function numberOf({ metadata }: Gguf, name: string): number | undefined {
  const value = metadata.get(name);
  return typeof value === "number" && Number.isFinite(value) ? value : undefined;
}

export function textOf({ metadata }: Gguf, name: string): string | undefined {
  const value = metadata.get(name);
  return typeof value === "string" ? value : undefined;
}

export function truthOf({ metadata }: Gguf, name: string): boolean | undefined {
  const value = metadata.get(name);
  return typeof value === "boolean" ? value : undefined;
}

export function textsOf({ metadata }: Gguf, name: string): readonly string[] | undefined {
  const value = metadata.get(name);
  return Array.isArray(value) && value.every((member) => typeof member === "string")
    ? (value as readonly string[])
    : undefined;
}

export function numbersOf({ metadata }: Gguf, name: string): readonly number[] | undefined {
  const value = metadata.get(name);
  return Array.isArray(value) && value.every((member) => typeof member === "number")
    ? (value as readonly number[])
    : undefined;
}

/** The same, of what no model can be without. Throws `gguf-invalid`. */
export function required<T>(read: (gguf: Gguf, name: string) => T | undefined, gguf: Gguf, name: string): T {
  const value = read(gguf, name);
  if (value === undefined) throw invalidGguf(gguf.path, `does not say its ${name}`);
  return value;
}
