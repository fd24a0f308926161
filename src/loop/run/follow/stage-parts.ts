import type { StageName, StoredEvent } from "../../../foundation/contract/index.ts";

/** A stage that has begun and not ended. */
export interface OpenStage {
  readonly round: number;
  readonly stage: StageName;
  /** The id of the event that began it. */
  readonly begun: number;
}

/** The stage that is under way after these events, where `before` was before them. */
export function openStage(
  events: readonly StoredEvent[],
  before: OpenStage | undefined,
): OpenStage | undefined {
  let open = before;
  for (const { id, event } of events) {
    if (event.type === "stage-started") open = { round: event.round, stage: event.stage, begun: id };
    if (["stage-finished", "run-finished", "champion-rolled-back"].includes(event.type)) open = undefined;
  }
  return open;
}

/** How the finished steps of a stage's parts begin. */
export function stepsOf({ round, stage }: OpenStage): string {
  return `round-${round}/${stage}/`;
}

/** What the finished steps of a stage say of how far it is, in words: the newest of each sort. */
export function stageParts(open: OpenStage, steps: readonly string[]): string[] {
  const newest = new Map<string, string>();
  for (const step of steps) {
    const said = partOf(step.slice(stepsOf(open).length));
    if (said === undefined) continue;
    newest.delete(said.sort);
    newest.set(said.sort, said.words);
  }
  return [...newest.values()];
}

interface Part {
  /** What is told once, however often it is done. */
  readonly sort: string;
  readonly words: string;
}

function partOf(name: string): Part | undefined {
  const [, role, steps] = /(?:^|\/)([^/]+)\/(\d+)$/.exec(name) ?? [];
  const [, writer, items] = /\/rollouts\/([^/]+)\/(\d+)$/.exec(name) ?? [];
  if (writer !== undefined)
    return { sort: `rollouts/${writer}`, words: `${writer}: rollouts to item ${items}` };
  if (role === "repetitions") return { sort: role, words: `${steps} repetitions` };
  if (role !== undefined && steps !== "0") return { sort: `steps/${role}`, words: `${role}: ${steps} steps` };
  if (name.endsWith("/rollouts")) return { sort: "rollouts", words: "rollouts stored" };
  const [, first] = /^blocks-(\d+)$/.exec(name) ?? [];
  return first === undefined
    ? undefined
    : { sort: "blocks", words: `more than ${first} blocks of decision items` };
}
