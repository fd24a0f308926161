import { existsSync } from "node:fs";
import { relative, resolve } from "node:path";
import { z } from "zod";
import { sha256OfFiles } from "../../foundation/base/index.ts";
import type { Task } from "../../foundation/contract/index.ts";
import type { Ledger, LedgerReader } from "../../foundation/ledger/index.ts";

/** A file that a run read its items from. */
export interface ReadFile {
  readonly run: string;
  readonly path: string;
  /** Of what it held when the run read it. */
  readonly sha256: string;
  readonly state: "same" | "changed" | "missing";
}

const factOf = (run: string): string => `files/${run}`;
const factSchema = z.array(z.object({ path: z.string(), sha256: z.string() }));

/**
 * Remembers which files a run's items were read from. A folder that is moved along with its files finds them again: paths are kept as
 * seen from it. What they held is part of the run, where they lie is not.
 */
export function keepFiles(ledger: Ledger, run: string, folder: string, { files = [] }: Task): void {
  if (files.length === 0) return;
  ledger.setFact(
    factOf(run),
    files.map(({ path, sha256 }) => ({ path: relative(resolve(folder), resolve(path)), sha256 })),
  );
}

/** The files of all runs of a folder, each hashed again. */
export async function readFiles(folder: string, ledger: LedgerReader): Promise<ReadFile[]> {
  const kept = ledger.facts(factOf("")).flatMap(({ key, value }) => {
    const files = factSchema.safeParse(value);
    const run = key.slice(factOf("").length);
    return (files.data ?? []).map(({ path, sha256 }) => ({ run, path: resolve(folder, path), sha256 }));
  });
  const hashes = new Map<string, Promise<string | null>>();
  const hashOf = (path: string): Promise<string | null> => {
    const known = hashes.get(path) ?? (existsSync(path) ? sha256OfFiles([path]) : Promise.resolve(null));
    hashes.set(path, known);
    return known;
  };
  return Promise.all(
    kept.map(async (file): Promise<ReadFile> => {
      const hash = await hashOf(file.path);
      return { ...file, state: hash === null ? "missing" : hash === file.sha256 ? "same" : "changed" };
    }),
  );
}
