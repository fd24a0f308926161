import type { Item, Prompting, Rollout, Task } from "../../foundation/contract/index.ts";
import { type AskRequest, ask, type Question } from "./ask.ts";
import { type Document, sourceOf } from "./documents.ts";
import { documentFinder } from "./nearest-documents.ts";
import { queryIn } from "./search.prompt.ts";

/** Something that is worked at with a search beside: what is asked depends on what was found. */
export interface SearchedQuestion extends Pick<Question, "item" | "name"> {
  readonly words: (found: readonly string[]) => Prompting;
  /** Texts that are there before any search. */
  readonly given?: readonly string[];
}

export interface SearchTurnsRequest extends AskRequest {
  readonly task: Task;
  /** What is searched in, and how many of it a search finds. */
  readonly library: readonly Document[];
  readonly found: number;
  /** Most searches before it must answer. */
  readonly searches: number;
}

/** How a question that was searched at names its turns, so that they are no answers to the item. */
const turnName = (name: string, turn: number, sample: number): string => `${name} ${turn} ${sample}`;

/**
 * Several answers to each question, each after as many searches as the policy asks for. A turn is a rollout of its own, in which what was
 * found stands in the context: it is never learnt as if the policy had written it. The turns of one answer share their `sample` and
 * follow each other by `turn`; the last one answers, even where it asks for a search that it may not have. Their items are questions.
 */
export async function searchTurns(
  questions: readonly SearchedQuestion[],
  { task, library, found: most, searches, ...request }: SearchTurnsRequest,
): Promise<Rollout[][]> {
  const find = documentFinder(library.map(({ text }) => text));
  const sources = new Map(library.map((document) => [document.text, sourceOf(document)]));
  const said = questions.map((): Rollout[] => []);
  let open = questions.flatMap((question, place) =>
    Array.from({ length: request.samples }, (_, sample) => ({ place, sample, found: question.given ?? [] })),
  );
  for (let turn = 0; turn <= searches && open.length > 0; turn++) {
    const asked =
      turn === 0
        ? questions.map((question, place) => ({ place, sample: 0, found: question.given ?? [] }))
        : open;
    const answered = await ask(
      asked.map(({ place, sample, found }): Question => {
        const { item, name, words } = questions[place] as SearchedQuestion;
        return { item, name: turn === 0 ? name : turnName(name, turn, sample), words: words(found) };
      }),
      { ...request, samples: turn === 0 ? request.samples : 1, seed: request.seed + turn },
    );
    const rollouts = turn === 0 ? answered.flat() : answered.map(([only]) => only as Rollout);
    open = open.flatMap((one, at) => {
      const rollout = rollouts[at] as Rollout;
      const { given = [] } = questions[one.place] as SearchedQuestion;
      const found = one.found.slice(given.length).flatMap((text) => sources.get(text) ?? []);
      said[one.place]?.push({
        ...rollout,
        sample: one.sample,
        ...(turn === 0 ? {} : { turn }),
        ...(found.length === 0 ? {} : { found }),
      });
      const query = queryOf(task, rollout);
      if (query === undefined) return [];
      const known = new Set(one.found);
      const more = find(query, most + known.size)
        .map(({ index }) => library[index]?.text ?? "")
        .filter((text) => !known.has(text));
      return [{ ...one, found: [...one.found, ...more.slice(0, most)] }];
    });
  }
  return said;
}

/** What a response looks for: in the task's words, else in those that chat models are told. */
function queryOf({ readQuery = queryIn }: Task, { response }: Rollout): string | undefined {
  return response.complete ? readQuery(response.text) : undefined;
}

/** Name of a score's part that says of a turn that it led to another, whose reward it has. */
export const earlierTurn = "earlier turn";

/** Rollouts as answers to their item, where a turn is the last of its sample; the others stay questions. */
export function lastTurnsOf(rollouts: readonly Rollout[]): ReadonlySet<Rollout> {
  const last = new Map<string, Rollout>();
  for (const rollout of rollouts) {
    const key = `${rollout.role}\0${rollout.sample}`;
    if ((last.get(key)?.turn ?? -1) < (rollout.turn ?? 0)) last.set(key, rollout);
  }
  return new Set(last.values());
}

/** The same, and each last turn answers the item itself. */
export function answeringLast(rollouts: readonly Rollout[], item: Item): Rollout[] {
  const last = lastTurnsOf(rollouts);
  return rollouts.map((rollout) => (last.has(rollout) ? { ...rollout, item } : rollout));
}
