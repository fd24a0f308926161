import { existsSync, statSync } from "node:fs";
import { placeTaken, userError, WhetstoneError } from "../../../foundation/base/index.ts";
import { type Ledger, readLedger } from "../../../foundation/ledger/index.ts";
import { digestFact } from "../../round/folder-digest.ts";
import { artifactsIn, checkpointsIn, keptCheckpoints, type Reason, textsIn } from "./references.ts";

/** Without these a run cannot go on. What else is kept serves people, or later runs. */
const needed: ReadonlySet<Reason> = new Set([
  "base",
  "champion",
  "newest candidate",
  "under way",
  "asked about",
]);

/**
 * Refuses to go on with a run whose weights or rows were taken away, before anything starts: what is read again is known. Throws
 * `no-weights`, `artifact-missing` or `in-the-way`, which name them all and say what to do. Only whether they are there is looked at;
 * what they hold is, when they are read.
 */
export function refuseMissing(ledger: Ledger, folder: string, run: string): void {
  using reader = readLedger({ folder });
  const record = reader?.runs().find(({ id }) => id === run);
  if (reader === undefined || record === undefined) return;
  const { steps } = reader.canonicalForm(run);
  // What it began with may be another run's.
  const prepared = steps.find(({ name }) => name === "round-0/prepare")?.result;
  const begun = new Set([...checkpointsIn(record.origin), ...textsIn(prepared)]);
  // What a training discarded on its way was forgotten with its digest.
  const saved = new Set(reader.facts(digestFact("")).map(({ key }) => key.slice(digestFact("").length)));
  const gone = [...keptCheckpoints(reader)].filter(
    ([name, reason]) =>
      needed.has(reason) &&
      saved.has(name) &&
      (name.startsWith(`${run}/`) || begun.has(name)) &&
      !existsSync(ledger.checkpointPath(name)),
  );
  if (gone.length > 0) {
    const names = gone.map(([name, reason]) => `${ledger.checkpointPath(name)} (${reason})`).join(", ");
    throw userError("no-weights", `${cannot(run, "weights")}: ${names}. ${remedy}`, { run });
  }
  const read = steps
    .filter(({ name }) => /^round-\d+\/(?:acquire|select|optimize)$/.test(name))
    .map(({ result }) => result);
  const paths = [...new Set([record.origin, ...read].flatMap((value) => artifactsIn(value, readAgain)))].map(
    (name) => ledger.artifacts.pathOf(name),
  );
  const lost = paths.filter((path) => !existsSync(path));
  if (lost.length > 0)
    throw new WhetstoneError({
      code: "artifact-missing",
      category: "environment",
      message: `${cannot(run, "rows")}: ${lost.join(", ")}. ${remedy}`,
      details: { run },
    });
  const taken = paths.find((path) => statSync(path).isDirectory());
  if (taken !== undefined) throw placeTaken(taken, "folder");
}

/** Members of results that name rows which later rounds read. */
const readAgain: ReadonlySet<string> = new Set(["artifact", "rollouts", "selections"]);

const remedy = "Put them back from a copy; `whetstone verify` says whether all is there then.";

function cannot(run: string, what: string): string {
  return `The run ${run} cannot go on, since ${what} that it needs are not there any more`;
}
