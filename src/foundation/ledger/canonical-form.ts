import type { DatabaseSync } from "node:sqlite";
import { hashOf, type Json } from "../base/index.ts";
import { lastingPart, type RunEvent } from "../contract/index.ts";
import { naming } from "./faults.ts";
import { readJson } from "./stored-json.ts";

/** A run as any other that is equal in all that counts, however often either was interrupted. */
export interface CanonicalForm {
  readonly run: string;
  /** By key; without members, and whole events, that the schema marks volatile. */
  readonly events: readonly { readonly key: string; readonly event: Json }[];
  /** Finished steps by name, with what they depended on and what came of them: hashes of artifacts among it. */
  readonly steps: readonly { readonly name: string; readonly inputHash: string; readonly result: Json }[];
}

/** Reads a run's canonical form. Throws `ledger-corrupt` where something of it cannot be read. */
export function readCanonicalForm(database: DatabaseSync, path: string, run: string): CanonicalForm {
  return naming(path, () => {
    const events = database
      .prepare("SELECT key, body FROM events WHERE run = ?")
      .all(run)
      .flatMap(({ key, body }) => {
        const event = lastingPart(readJson(body, path) as unknown as RunEvent);
        return event === null ? [] : [{ key: String(key), event: event as Json }];
      });
    const steps = database
      .prepare("SELECT name, input_hash, result FROM steps WHERE run = ?")
      .all(run)
      .map(({ name, input_hash, result }) => ({
        name: String(name),
        inputHash: String(input_hash),
        result: readJson(result, path),
      }));
    return {
      run,
      events: events.sort((one, other) => byText(one.key, other.key)),
      steps: steps.sort((one, other) => byText(one.name, other.name)),
    };
  });
}

/**
 * SHA-256 of a canonical form: equal on two machines where the ledgers say the same.
 *
 * @example
 * using ledger = readLedger({ folder: "." });
 * for (const { id } of ledger?.runs() ?? []) console.log(id, canonicalHash(ledger!.canonicalForm(id)));
 */
export function canonicalHash({ events, steps }: CanonicalForm): string {
  return hashOf({ events, steps });
}

/** By code units: no order of a language, which machines know differently. */
function byText(one: string, other: string): number {
  return one < other ? -1 : one > other ? 1 : 0;
}
