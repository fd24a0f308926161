import type { Example } from "../../foundation/contract/index.ts";
import type { Method } from "../../gro/method.ts";
import { exampleOfRollout, restoreGroup } from "../../gro/rollout/index.ts";
import { keptExamples, type OlderSet } from "../../gro/update/index.ts";
import type { RoundContext } from "./context.ts";

/** Of each artifact, how many examples were kept up to the end of each of its rows: all of it that outlives a round. */
const countsByContext = new WeakMap<RoundContext, Map<string, Promise<Uint32Array>>>();

/** What earlier rounds kept, for a method of which an update draws on it; else nothing is read. */
export function olderSets(
  context: RoundContext,
  { passes }: Method,
  artifacts: readonly string[],
): Promise<OlderSet[]> {
  const updates = passes.flatMap(({ update, updates: others = {} }) => [update, ...Object.values(others)]);
  if (!updates.some(({ readsOlder }) => readsOlder)) return Promise.resolve([]);
  return Promise.all(artifacts.map((artifact) => olderSet(context, artifact)));
}

async function olderSet(context: RoundContext, artifact: string): Promise<OlderSet> {
  const { artifacts } = context.ledger;
  const counts = await keptCounts(context, artifact);
  return {
    length: counts.at(-1) ?? 0,
    read: async (places) => {
      const wanted = Map.groupBy([...places], (place) => counts.findIndex((end) => place < end));
      const rows = await artifacts.readSome(artifact, new Set(wanted.keys()));
      const examples = new Map<number, Example>();
      for (const [group, row] of rows) {
        const kept = keptExamples([restoreGroup(row)], ({ rollout }, { rollout: index }) =>
          exampleOfRollout(rollout, { group, rollout: index, artifact }),
        );
        const first = counts[group - 1] ?? 0;
        for (const place of wanted.get(group) ?? []) examples.set(place, kept[place - first] as Example);
      }
      return examples;
    },
  };
}

/** An artifact is counted once a run. */
function keptCounts(context: RoundContext, artifact: string): Promise<Uint32Array> {
  const known = countsByContext.get(context) ?? new Map<string, Promise<Uint32Array>>();
  countsByContext.set(context, known);
  const counts = known.get(artifact) ?? countKept(context, artifact);
  known.set(artifact, counts);
  return counts;
}

async function countKept({ ledger }: RoundContext, artifact: string): Promise<Uint32Array> {
  let sum = 0;
  const rows = await ledger.artifacts.read(artifact);
  return Uint32Array.from(rows, (row) => {
    sum += keptExamples([restoreGroup(row)], () => null).length;
    return sum;
  });
}
