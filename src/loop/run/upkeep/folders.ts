import { existsSync, readdirSync, statSync } from "node:fs";
import { join } from "node:path";
import { ledgerFolder } from "../../../foundation/ledger/index.ts";

/** Something of a run's that lies on the disk. */
export interface Stored {
  readonly name: string;
  readonly path: string;
  readonly bytes: number;
}

/** Artifacts, reports among them, by name: the SHA-256 of what they should hold. */
export function storedArtifacts(folder: string): Stored[] {
  return ["artifacts", "reports"].flatMap((kind) => {
    const place = join(ledgerFolder(folder), kind);
    return namesIn(place).flatMap((file) => {
      const [, name] = /^([0-9a-f]{64})\.(?:jsonl|html)$/.exec(file) ?? [];
      return name === undefined ? [] : [storedAt(join(place, file), name)];
    });
  });
}

/** Checkpoints of a run by name, `RUN/round-…`. */
export function storedCheckpoints(folder: string, run: string): Stored[] {
  const place = join(ledgerFolder(folder), "checkpoints", run);
  return namesIn(place).flatMap((name) =>
    name.startsWith("round-") ? [storedAt(join(place, name), `${run}/${name}`)] : [],
  );
}

function storedAt(path: string, name: string): Stored {
  return { name, path, bytes: bytesOf(path) };
}

function bytesOf(path: string): number {
  const facts = statSync(path);
  if (!facts.isDirectory()) return facts.size;
  return namesIn(path).reduce((sum, name) => sum + bytesOf(join(path, name)), 0);
}

function namesIn(folder: string): string[] {
  return existsSync(folder) ? readdirSync(folder).sort() : [];
}
