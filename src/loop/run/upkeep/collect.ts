import { rmSync } from "node:fs";
import { z } from "zod";
import { readOptions } from "../../../foundation/base/index.ts";
import { openLedger, readLedger } from "../../../foundation/ledger/index.ts";
import { digestFact } from "../../round/folder-digest.ts";
import { projectFolder } from "../arguments.ts";
import { noRun } from "../find-run.ts";
import { type Stored, storedArtifacts, storedCheckpoints, strays } from "./folders.ts";
import { keptCheckpoints } from "./references.ts";

export interface CollectOptions {
  /** The project folder; the current folder if left out. */
  readonly folder?: string;
  /** Removes what is found; false, the default, only says what that would be. */
  readonly remove?: boolean;
}

const optionsSchema = z.strictObject({ folder: projectFolder, remove: z.boolean().default(false) });

/** What nothing refers to. */
export interface Garbage {
  readonly of: "checkpoint" | "artifact";
  readonly name: string;
  readonly bytes: number;
}

export interface Collected {
  readonly removed: boolean;
  readonly bytes: number;
  readonly garbage: readonly Garbage[];
  /** Checkpoints that stay: bases, champions, what was promoted, the newest candidate, and what a training goes on from. */
  readonly kept: number;
  /** What lies between them and no run has named, by its path below the folder: never removed, since nobody knows whose it is. */
  readonly strays: readonly Stray[];
}

export interface Stray {
  readonly path: string;
  readonly bytes: number;
}

/**
 * Finds what nothing in a folder's ledger refers to: candidates that were rejected and that no round goes on from, checkpoints and
 * artifacts that an interruption left. Removes it where asked to. Lists what strays among them. Throws user errors `no-run` and `folder-in-use`, and what
 * opening the ledger throws.
 *
 * @example
 * const folder = await mkdtemp(join(tmpdir(), "run-"));
 * const prepare = supervised({ on: demonstrations(), steps: 10, learningRate: 0.3 });
 * await run(defineRun({ task: reverse({ lengths: [1, 4] }), engine: tabular(), prepare, budget: { rounds: 0 } }), { folder });
 * const { bytes, garbage } = collectGarbage({ folder }); // 0, []
 */
export function collectGarbage(options: CollectOptions = {}): Collected {
  const { folder, remove } = readOptions("collectGarbage()", optionsSchema, options);
  {
    using ledger = readLedger({ folder });
    if (ledger === undefined || ledger.runs().length === 0) throw noRun();
  }
  // Whoever runs may be saving what nothing refers to yet.
  using ledger = openLedger({ folder });
  const { checkpoints, artifacts, kept, strays: others } = found(folder);
  if (remove) {
    for (const { name, path } of checkpoints) {
      rmSync(path, { recursive: true });
      ledger.deleteFact(digestFact(name));
    }
    for (const { path } of artifacts) rmSync(path);
  }
  const told = (of: Garbage["of"], all: readonly Stored[]): Garbage[] =>
    all.map(({ name, bytes }) => ({ of, name, bytes }));
  const garbage = [...told("checkpoint", checkpoints), ...told("artifact", artifacts)];
  return {
    removed: remove,
    bytes: garbage.reduce((sum, { bytes }) => sum + bytes, 0),
    garbage,
    kept,
    strays: others.map(({ name, bytes }) => ({ path: name, bytes })),
  };
}

function found(folder: string) {
  using ledger = readLedger({ folder });
  if (ledger === undefined) throw noRun();
  const referred = keptCheckpoints(ledger);
  const hashes = ledger.hashes();
  const stored = ledger.runs().flatMap(({ id }) => storedCheckpoints(folder, id));
  const checkpoints = stored.filter(({ name }) => !referred.has(name));
  return {
    checkpoints,
    artifacts: storedArtifacts(folder).filter(({ name, isFile }) => isFile && !hashes.has(name)),
    kept: stored.length - checkpoints.length,
    strays: strays(
      folder,
      ledger.runs().map(({ id }) => id),
    ),
  };
}
