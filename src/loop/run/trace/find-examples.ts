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
  /** As many as are listed, an entry an example and origin. */
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
  const byId = /^[0-9a-f]{4,32}$/i.test(of) ? index.examplesOf(of.toLowerCase(), mostListed) : [];
  const text = of.trim();
  const found = [
    ...(await kept(lineage, "id", byId)),
    ...(await kept(lineage, "answer", index.examplesWith("answer", text, mostListed))),
    ...(await kept(lineage, "prompt", index.examplesWith("prompt", text, mostListed))),
  ].filter(({ as, kept: { prompt, answer } }) => as === "id" || { prompt, answer }[as].trim() === text);
  const examples = found.filter(
    ({ number }, place) => found.findIndex((other) => other.number === number) === place,
  );
  const others = index.countWith("answer", text) + index.countWith("prompt", text);
  return {
    examples,
    total: examples.length < mostListed ? examples.length : Math.max(examples.length, others),
  };
}

async function kept(
  { read }: LineageReader,
  as: Match["as"],
  found: readonly FoundExample[],
): Promise<Match[]> {
  const rows = await read(found);
  return found.map((one, place) => ({ ...one, as, kept: rows[place] as TrainedExample }));
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
