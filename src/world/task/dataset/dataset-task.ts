import { internalError } from "../../../foundation/base/index.ts";
import type { Task, Verifier } from "../../../foundation/contract/index.ts";
import { itemOf, stratumAt } from "../items.ts";
import { canonicalOf } from "./canonical.ts";
import type { Kind } from "./kinds.ts";
import { canariesOf } from "./known-answers.ts";
import type { KnownRow } from "./read-rows.ts";

export interface DatasetParts {
  readonly name: string;
  readonly version: number;
  readonly rows: readonly KnownRow[];
  readonly kinds: readonly Kind[];
  readonly verifier: Verifier;
  readonly maxTokens: number;
  /** Where the file lies. */
  readonly path: string;
  /** Of the file. */
  readonly sha256: string;
}

/** The task that rows make. */
export function datasetTask({ rows, kinds, verifier, maxTokens, ...parts }: DatasetParts): Task {
  const { name, version, path, sha256 } = parts;
  const last = kinds.length;
  const completions = new Map(
    rows.flatMap(({ canonical, completion }) => (completion === undefined ? [] : [[canonical, completion]])),
  );
  const kindAt = (difficulty: number): Kind => {
    const { name: kind } = stratumAt(task, difficulty);
    const found = kinds[difficulty - 1];
    if (found === undefined) throw internalError(`the kind ${kind} has no rows`);
    return found;
  };
  const task: Task = {
    name,
    version,
    options: { sha256, rows: rows.length, maxTokens },
    files: [{ path, sha256 }],
    difficulty: { unit: "kind", base: [1, last], growTo: last, measureTo: last, ordered: false },
    strata: kinds.map(({ stratum }) => stratum),
    characters: charactersOf(rows),
    verifier,
    generate: (difficulty, random) => random.pick(kindAt(difficulty).problems),
    enumerate: (difficulty) => kindAt(difficulty).problems,
    canonical: canonicalOf,
    demonstrate: (item) => {
      const response = completions.get(item.canonical) ?? item.answer;
      if (response === undefined) throw internalError(`${item.source} has no answer`);
      return response;
    },
    maxTokens: () => maxTokens,
    canaries: () => {
      const train = kinds.flatMap(({ problems }) =>
        problems.map((problem) => itemOf(task, problem)).filter(({ split }) => split === "train"),
      );
      return canariesOf(
        verifier,
        train.map((item) => ({ item, completion: completions.get(item.canonical) })),
      );
    },
  };
  return task;
}

function charactersOf(rows: readonly KnownRow[]): string {
  const used = new Uint8Array(0x11_0000);
  for (const { prompt, messages = [], answer, completion = "" } of rows)
    for (const text of [prompt, answer, completion, ...messages.map(({ content }) => content)])
      for (let at = 0; at < text.length; at++) {
        const point = text.codePointAt(at) ?? 0;
        used[point] = 1;
        if (point > 0xffff) at += 1;
      }
  let characters = "";
  for (let point = used.indexOf(1); point >= 0; point = used.indexOf(1, point + 1))
    characters += String.fromCodePoint(point);
  return characters;
}
