import { existsSync, lstatSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { inTheWay } from "../../../foundation/base/index.ts";
import { ledgerFolder } from "../../../foundation/ledger/index.ts";

/** Something of a run's that lies on the disk. */
export interface Stored {
  readonly name: string;
  readonly path: string;
  readonly bytes: number;
  readonly isFile: boolean;
}

/** What a record's artifact is called on the disk. */
const artifactFile = /^([0-9a-f]{64})\.(?:jsonl|html)$/;
const artifactPlaces = ["artifacts", "reports"];

/** Artifacts, reports among them, by name: the SHA-256 of what they should hold. */
export function storedArtifacts(folder: string): Stored[] {
  return artifactPlaces.flatMap((kind) => {
    const place = join(ledgerFolder(folder), kind);
    return namesIn(place).flatMap((file) => {
      const [, name] = artifactFile.exec(file) ?? [];
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

/** What lies among artifacts, reports and checkpoints and has no name that a run gives, by its path below the folder. */
export function strays(folder: string, runs: readonly string[]): Stored[] {
  const at = (...names: string[]): Stored =>
    storedAt(join(ledgerFolder(folder), ...names), join(".whetstone", ...names));
  const checkpoints = join(ledgerFolder(folder), "checkpoints");
  return [
    ...artifactPlaces.flatMap((kind) =>
      namesIn(join(ledgerFolder(folder), kind))
        .map((name) => ({ name, stored: at(kind, name) }))
        .filter(({ name, stored }) => !artifactFile.test(name) || !stored.isFile)
        .map(({ stored }) => stored),
    ),
    ...namesIn(checkpoints)
      .filter((run) => !runs.includes(run))
      .map((run) => at("checkpoints", run)),
    ...runs.flatMap((run) =>
      namesIn(join(checkpoints, run))
        .filter((name) => !name.startsWith("round-"))
        .map((name) => at("checkpoints", run, name)),
    ),
  ];
}

function storedAt(path: string, name: string): Stored {
  return { name, path, bytes: bytesOf(path), isFile: lstatSync(path).isFile() };
}

function bytesOf(path: string): number {
  const facts = lstatSync(path);
  if (!facts.isDirectory()) return facts.size;
  return namesIn(path).reduce((sum, name) => sum + bytesOf(join(path, name)), 0);
}

function namesIn(folder: string): string[] {
  if (!existsSync(folder)) return [];
  try {
    return readdirSync(folder).sort();
  } catch (error) {
    throw inTheWay(error, folder) ?? error;
  }
}
