import { z } from "zod";
import { hashOf, type Json } from "../../foundation/base/index.ts";
import { type Item, type JudgedAnswer, verdictSchema } from "../../foundation/contract/index.ts";
import { doneInAll, eachPart, samplingParts } from "../../gro/method/index.ts";
import { answerJudged } from "../../lifecycle/evaluate/index.ts";
import { durablePart, type RoundContext, shippedName, shippedPolicies, signalOf } from "./context.ts";
import type { Lineage } from "./state.ts";

export interface JudgedAnswersRequest {
  /** How the names of the parts' steps begin; it names the weights where later rounds ask again. */
  readonly name: string;
  readonly lineage: Lineage;
  readonly items: readonly Item[];
  readonly seed: number;
  /** Later rounds ask for them too, so that they are kept; others that are one part are as durable as the stage that asks. */
  readonly askedAgain: boolean;
  readonly onProgress: (done: number, total: number) => void;
}

const rowSchema = z.object({ text: z.string(), complete: z.boolean(), verdict: verdictSchema });

/**
 * What a lineage's lead answers, judged, in the order of the items and without the attempts behind it. It is durable in parts: each
 * is an artifact, and an interruption costs those that were under way.
 */
export async function judgedAnswers(
  context: RoundContext,
  { name, lineage, items, seed, askedAgain, onProgress }: JudgedAnswersRequest,
): Promise<JudgedAnswer[]> {
  const { task, refine } = context.definition;
  const tell = doneInAll((done) => onProgress(done, items.length));
  const parts = samplingParts(items.length, refine.samplesPerItem);
  const answers = await eachPart(parts, async (part) => {
    const own = items.slice(part.from, part.to);
    const answer = async (): Promise<readonly JudgedAnswer[]> =>
      answerJudged({
        task,
        harness: refine,
        ...(await shippedPolicies(context, lineage)),
        items: own,
        seed,
        ...signalOf(context),
        onProgress: (done) => tell(part, done),
      });
    if (parts.length === 1 && !askedAgain)
      return (await answer()).map((one): JudgedAnswer => ({ ...one, rollouts: [] }));
    let fresh: readonly JudgedAnswer[] | undefined;
    const input = {
      seed,
      items: hashOf(own.map(({ canonical }) => canonical)),
      // What is asked again has the weights in its name, and rounds that earlier versions finished have it without.
      ...(askedAgain ? {} : { weights: shippedName(context, lineage) }),
    };
    const { artifact } = await durablePart(context, `${name}/${part.to}`, input, async () => {
      fresh = await answer();
      return { artifact: await context.ledger.artifacts.put(fresh.map(rowOf)) };
    });
    tell(part, own.length);
    const rows = fresh?.map(rowOf) ?? (await context.ledger.artifacts.read(artifact));
    return rows.map((row, index) => answerOf(own[index] as Item, row));
  });
  return answers.flat();
}

function rowOf({ response, verdict }: JudgedAnswer): Json {
  return { text: response.text, complete: response.complete, verdict };
}

function answerOf(item: Item, row: Json): JudgedAnswer {
  const { text, complete, verdict } = rowSchema.parse(row);
  return { item, response: { text, complete }, rollouts: [], verdict };
}
