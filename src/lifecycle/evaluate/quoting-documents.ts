import { randomStream } from "../../foundation/base/index.ts";
import type { Item, Task } from "../../foundation/contract/index.ts";
import { drawItems, isEnumerated } from "../../world/task/index.ts";
import { NearCopies } from "./near-copies.ts";

/** Words in a row that tell an item: as many as tests for contamination usually take. */
const gram = 13;
/** What more than this share of the items have in common tells none of them. */
const mostShared = 0.05;
/** Items of a split of a generator's stratum that are looked for; of a file all are. */
const mostDrawn = 1000;
/** Words that may stand between a short prompt and its answer: “The answer is”. */
const mostBetween = 3;

interface Finder {
  /** Whether a text quotes an item. */
  readonly quotes: (document: string) => boolean;
  /** Of the texts that were asked about last: most are asked about again, in the next round. */
  known: ReadonlyMap<string, boolean>;
}

const finders = new WeakMap<Task, Finder>();

/**
 * How many of these texts quote items of the decision or audit split: 13 words in a row of a prompt, which not more than a twentieth
 * of the items share, or a near copy of it; of a shorter prompt all of it, with its answer behind. Only the number is told.
 */
export function quotingDocuments(task: Task, documents: readonly string[]): number {
  if (documents.length === 0) return 0;
  const finder = finders.get(task) ?? { quotes: finderOf(itemsToFind(task)), known: new Map() };
  finders.set(task, finder);
  const { quotes, known } = finder;
  finder.known = new Map(documents.map((document) => [document, known.get(document) ?? quotes(document)]));
  return documents.filter((document) => finder.known.get(document)).length;
}

function finderOf(items: readonly Item[]): (document: string) => boolean {
  const shared = new Map<string, number>();
  const answers = new Map<string, string[]>();
  const lengths = new Set<number>([gram]);
  const long: string[][] = [];
  for (const { prompt, messages, answer = "" } of items) {
    const asked = wordsIn(messages?.map(({ content }) => content).join("\n") ?? prompt);
    const said = wordsIn(answer);
    for (const one of new Set(gramsOf(asked, gram))) shared.set(one, (shared.get(one) ?? 0) + 1);
    if (asked.length >= gram) long.push(asked);
    if (asked.length === 0 || asked.length >= gram || said.length === 0) continue;
    lengths.add(asked.length);
    const key = asked.join(" ");
    answers.set(key, [...(answers.get(key) ?? []), said.join(" ")]);
  }
  const most = Math.max(1, mostShared * items.length);
  const copies = new NearCopies(long, most);
  const quotes = (words: readonly string[], at: number, length: number): boolean => {
    const text = words.slice(at, at + length).join(" ");
    if (length === gram) return (shared.get(text) ?? most + 1) <= most;
    return (answers.get(text) ?? []).some((answer) => {
      const behind = words.slice(at + length, at + length + mostBetween + answer.split(" ").length);
      return ` ${behind.join(" ")} `.includes(` ${answer} `);
    });
  };
  return (document) => {
    const words = wordsIn(document);
    return (
      copies.in(words) || words.some((_, at) => [...lengths].some((length) => quotes(words, at, length)))
    );
  };
}

function itemsToFind(task: Task): readonly Item[] {
  return task.strata
    .filter((stratum) => !isEnumerated(stratum))
    .flatMap(({ difficulty, splits }) =>
      (["decision", "audit"] as const).flatMap((split) =>
        drawItems({
          task,
          difficulty,
          split,
          count: splits?.[split] ?? mostDrawn,
          orFewer: true,
          random: randomStream(0, `contamination/${difficulty}/${split}`),
        }),
      ),
    );
}

/** Words in lower case, and the signs that sums are made of: points and commas are written in many ways. */
function wordsIn(text: string): string[] {
  return (
    text
      .normalize("NFKC")
      .toLowerCase()
      .match(/[\p{L}\p{M}\p{N}]+|[\p{S}*/%-]/gu) ?? []
  );
}

function gramsOf(words: readonly string[], length: number): string[] {
  return Array.from({ length: Math.max(0, words.length - length + 1) }, (_, at) =>
    words.slice(at, at + length).join(" "),
  );
}
