import type { Json } from "../../../foundation/base/index.ts";
import type { RunEvent } from "../../../foundation/contract/index.ts";
import type { LedgerReader, RunRecord } from "../../../foundation/ledger/index.ts";
import { questionsOf } from "../../oversight/index.ts";
import { shortShare } from "../../round/baselines/comparison-point.ts";

/** Why a checkpoint stays. Without one that is `needed` the run cannot go on; a promoted one is there to be rolled back to. */
export type Reason =
  | "base"
  | "champion"
  | "newest candidate"
  | "promoted"
  | "compared with"
  | "under way"
  | "asked about";

/** Checkpoints that something refers to, with the first reason that was found. */
export function keptCheckpoints(ledger: LedgerReader): ReadonlyMap<string, Reason> {
  const kept = new Map<string, Reason>();
  const keep = (reason: Reason, names: Iterable<string>): void => {
    for (const name of names) if (!kept.has(name)) kept.set(name, reason);
  };
  for (const { value } of ledger.facts("champion/")) keep("champion", checkpointsIn(value));
  const runs = ledger.runs();
  for (const record of runs) {
    keep("base", checkpointsIn(record.origin));
    const isLast = runs.findLast(({ name }) => name === record.name)?.id === record.id;
    keepOfRun(record, ledger, isLast, keep);
  }
  for (const { value } of ledger.facts("crowned/")) keep("promoted", checkpointsIn(value));
  // Later runs that prepare just so take them from there.
  for (const { value } of ledger.facts("prepared/")) if (typeof value === "string") keep("base", [value]);
  return kept;
}

function keepOfRun(
  { id }: RunRecord,
  ledger: LedgerReader,
  isLast: boolean,
  keep: (reason: Reason, names: Iterable<string>) => void,
): void {
  const results = new Map(ledger.canonicalForm(id).steps.map(({ name, result }) => [name, result]));
  const own = (value: Json | undefined): string[] =>
    textsIn(value).filter((text) => text.startsWith(`${id}/`));
  keep("base", own(results.get("round-0/prepare")));
  const promoted = new Set<number>();
  let newest = 0;
  let compared = 0;
  for (const { event } of ledger.events(id)) {
    compared = comparedAfter(event, compared);
    if (event.type === "candidate-promoted") promoted.add(event.round);
    if (event.type === "training-finished") newest = Math.max(newest, event.round);
  }
  for (const round of promoted) keep("promoted", checkpointsIn(results.get(`round-${round}/optimize`)));
  for (let round = 1; round <= compared; round++)
    keep("compared with", checkpointsIn(results.get(`round-${round}/optimize`)));
  if (isLast) keep("newest candidate", checkpointsIn(results.get(`round-${newest}/optimize`)));
  if (isLast)
    for (const { about, round, givenUp } of questionsOf(ledger.events(id))) {
      const settled = ["approval", "answer"].some((step) => results.has(`round-${round}/${step}`));
      if (about === "promotion" && !givenUp && !settled)
        keep("asked about", checkpointsIn(results.get(`round-${round}/optimize`)));
    }
  for (const [name, result] of results) {
    const [, stage] = /^(round-\d+\/(?:prepare|optimize|baseline-[\w-]+))\//.exec(name) ?? [];
    if (stage !== undefined && !results.has(stage)) keep("under way", own(result));
  }
}

/** Up to which round candidates are kept because baselines, yet to come, may be compared with one of them. */
function comparedAfter(event: RunEvent, before: number): number {
  if (event.type === "run-finished" || event.type === "baseline-measured") return 0;
  if (event.type !== "run-started") return before;
  return event.baselines?.mode === "short" ? Math.ceil(shortShare * event.rounds) : 0;
}

/** Names of checkpoints by role in a lineage, wherever in a value it stands. */
export function checkpointsIn(value: Json | undefined): string[] {
  const found: string[] = [];
  walk(value, (key, member) => {
    if (key === "checkpoints") found.push(...textsIn(member));
  });
  return found;
}

/** Members that name artifacts: pools and selections, rollouts, buffers, what a training learnt from, certificates and what they rest on, reports. */
const artifactKeys = new Set([
  "artifact",
  "rollouts",
  "buffer",
  "buffers",
  "selections",
  "record",
  "trained",
  "lineage",
  "evidence",
  "certificate",
  "report",
]);

/** Names of artifacts in results of steps, events, lineages and facts, under all keys that name some, or under these. */
export function artifactsIn(value: Json | undefined, keys: ReadonlySet<string> = artifactKeys): string[] {
  const found: string[] = [];
  walk(value, (key, member) => {
    if (keys.has(key)) found.push(...textsIn(member).filter(isHash));
  });
  return found;
}

/** Artifacts that hold a part of what is under way: they are taken away once the whole is stored, and no sooner. */
export function partsUnderWay(steps: readonly { readonly name: string; readonly result: Json }[]): string[] {
  const names = new Set(steps.map(({ name }) => name));
  return steps.flatMap(({ name, result }) => {
    const [, whole] = /^(.+\/rollouts)\/[^/]+\/\d+$/.exec(name) ?? [];
    return whole === undefined || names.has(whole) ? [] : textsIn(result).filter(isHash);
  });
}

const isHash = (text: string): boolean => /^[0-9a-f]{64}$/.test(text);

export function textsIn(value: Json | undefined): string[] {
  const found: string[] = [];
  walk(value, (_, member) => {
    if (typeof member === "string") found.push(member);
  });
  return found;
}

function walk(value: Json | undefined, see: (key: string, value: Json) => void, key = ""): void {
  if (value === undefined) return;
  see(key, value);
  if (typeof value !== "object" || value === null) return;
  for (const [name, member] of Object.entries(value))
    walk(member as Json | undefined, see, Array.isArray(value) ? key : name);
}
