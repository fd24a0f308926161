import { readSource } from "../../../foundation/contract/index.ts";
import type { LineageReader } from "../../../foundation/ledger/index.ts";
import type { Match } from "./find-examples.ts";
import type { ExampleTrace } from "./trace-schema.ts";
import { originIn, roundsOf, type TraceGround, weightsBehind } from "./weights-behind.ts";

/** Origins of one example that are told: one that was met in more is met so again and again. */
const mostOrigins = 24;

/** Where one example came from, in every way that it did, and which weights it was trained into. */
export async function exampleTrace(
  ground: TraceGround,
  { index, read, unreadable }: LineageReader,
  { id, kept }: Match,
): Promise<ExampleTrace> {
  const found = index.examplesOf(id, mostOrigins);
  const rows = await read(found);
  const origins = found.flatMap((example, place): ExampleTrace["origins"] => {
    const row = rows[place];
    const uses = index.usesOf(example);
    const [learnt] = uses;
    if (row === undefined || learnt === undefined) return [];
    const { writer, source } = row;
    const { line, document } = readSource(source);
    return [
      {
        ...originIn(index, example.origin, learnt.header),
        source,
        line,
        document,
        sample: writer?.sample ?? null,
        stepsAfter: writer?.stepsAfter ?? null,
        place: writer && { group: writer.group, rollout: writer.rollout },
        trainedInto: uses.map(({ header: { checkpoint, run, round, role }, times }) => ({
          checkpoint,
          run,
          round,
          role,
          times,
          tokens: times * row.tokens,
        })),
      },
    ];
  });
  const writers = origins.flatMap(({ writer }) => writer?.checkpoint ?? []);
  const weights = weightsBehind(ground, writers);
  const { prompt, answer, item, tokens } = kept;
  return {
    kind: "example",
    id,
    prompt,
    answer,
    item,
    tokens,
    origins,
    weights,
    rounds: roundsOf(index, weights),
    unreadable: [...unreadable],
  };
}
