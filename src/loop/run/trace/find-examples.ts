import type { TrainedExample } from "../../../foundation/contract/index.ts";
import { type FoundExample, isRealOrigin, type LineageReader } from "../../../foundation/ledger/index.ts";
import type { TraceMatches } from "./trace-schema.ts";

/** Examples that are listed where many fit. */
const mostListed = 12;

/** An example that fits, what its record says of it, and by what it was found. */
export interface Match extends FoundExample {
  readonly kept: TrainedExample;
  readonly as: "id" | "answer" | "prompt";
}

export interface Found {
  /** As many as are listed, one an identity. */
  readonly examples: readonly Match[];
  readonly total: number;
}

/**
 * The examples that are meant: by the beginning of an id, by their answer or by their prompt. Quotes around a text are taken away
 * where it is none with them.
 */
export async function findExamples(lineage: LineageReader, of: string): Promise<Found> {
  const exact = await find(lineage, of);
  const [, inner] = /^"([\s\S]+)"$/.exec(of) ?? [];
  return exact.total > 0 || inner === undefined ? exact : find(lineage, inner);
}

async function find(lineage: LineageReader, of: string): Promise<Found> {
  const { index } = lineage;
  const text = of.trim();
  const byId = /^[0-9a-f]{4,32}$/i.test(of) ? index.examplesOf(of.toLowerCase(), mostListed) : [];
  const byAnswer = index.examplesWith("answer", text, mostListed);
  const byPrompt = index.examplesWith("prompt", text, mostListed);
  const matches = await kept(lineage, [
    ...byId.map((found) => ({ ...found, as: "id" as const })),
    ...byAnswer.found.map((found) => ({ ...found, as: "answer" as const })),
    ...byPrompt.found.map((found) => ({ ...found, as: "prompt" as const })),
  ]);
  const fitting = matches.filter(({ as, kept: row }) => as === "id" || row[as].trim() === text);
  const examples = fitting.filter(({ id }, place) => fitting.findIndex((other) => other.id === id) === place);
  const more = Math.max(byAnswer.total, byPrompt.total);
  return {
    examples,
    total: examples.length < mostListed ? examples.length : Math.max(examples.length, more),
  };
}

async function kept({ read }: LineageReader, found: readonly Omit<Match, "kept">[]): Promise<Match[]> {
  const rows = await read(found);
  return found.map((one, place) => ({ ...one, kept: rows[place] as TrainedExample }));
}

/** A list to choose from. */
export function matchesOf(
  of: string,
  { examples, total }: Found,
  unreadable: readonly string[],
): TraceMatches {
  return {
    kind: "matches",
    of,
    total,
    matches: examples.slice(0, mostListed).map(({ id, as, origin, kept: { prompt, answer } }) => ({
      id,
      prompt,
      answer,
      as,
      real: isRealOrigin(origin),
    })),
    unreadable: [...unreadable],
  };
}
