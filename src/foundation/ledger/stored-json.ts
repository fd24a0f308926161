import { internalError, type Json, messageOf, strictJson } from "../base/index.ts";
import { corrupt } from "./faults.ts";

/** What is read again must be what was written: a value that JSON would change (NaN to null) is refused, not stored. */
export function writeJson(what: string, value: Json, write: (value: Json) => string = strictJson): string {
  try {
    return write(value);
  } catch (error) {
    throw internalError(`${what} cannot be stored: ${messageOf(error)}`);
  }
}

/** Throws `ledger-corrupt` for text that {@link writeJson} did not write. */
export function readJson(text: unknown, path: string): Json {
  try {
    return JSON.parse(String(text)) as Json;
  } catch (error) {
    throw corrupt(path, error);
  }
}
