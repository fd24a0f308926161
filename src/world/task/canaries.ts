import { z } from "zod";
import { readOptions, userError, valueWith, type WhetstoneError } from "../../foundation/base/index.ts";
import type { Canary, Item, Task, Verdict } from "../../foundation/contract/index.ts";
import { verdictOf } from "./verdict.ts";

/** An item whose right answer is known without the verifier's help. */
export interface KnownAnswer {
  readonly item: Item;
  readonly answer: string;
  /** Answers that are wrong in a way that this task invites, such as one left unreversed. */
  readonly traps?: readonly string[];
}

const knownSchema = z
  .array(
    z.object({
      item: valueWith<Item>("prompt", "expected an item"),
      answer: z.string(),
      traps: z.array(z.string()).optional(),
    }),
  )
  .readonly();
const taskSchema = valueWith<Pick<Task, "name" | "verifier" | "canaries">>(
  "canaries",
  "expected a task, such as reverse()",
);

/**
 * Canaries for a task with one right answer an item: the answer itself, and what is near it and wrong: nothing, a part
 * of it, one character more, one character changed, a space or a line's end around it, cut off by the token limit,
 * another item's answer, and the task's own traps.
 *
 * @example
 * const [first] = reverse().canaries();
 * exactCanaries(first === undefined ? [] : [{ item: first.item, answer: "1", traps: ["one"] }], ["0", "1"]);
 */
export function exactCanaries(known: readonly KnownAnswer[], symbols: readonly string[]): Canary[] {
  readOptions("exactCanaries()", knownSchema, known);
  readOptions("exactCanaries()", z.array(z.string()).readonly(), symbols);
  return known.flatMap(({ item, answer, traps = [] }, index) => {
    const characters = [...answer];
    const [first, last] = [characters[0] ?? "", characters.at(-1) ?? ""];
    const inner = characters.slice(1).join("");
    const outer = characters.slice(0, -1).join("");
    const texts = new Set([
      "",
      inner,
      outer,
      answer + last,
      first + answer,
      outer + another(last, symbols),
      another(first, symbols) + inner,
      ` ${answer}`,
      `${answer}\n`,
      `${item.prompt}${answer}`,
      ...traps,
      known[(index + 1) % known.length]?.answer ?? "",
    ]);
    texts.delete(answer);
    return [
      { item, response: { text: answer, complete: true }, right: true },
      { item, response: { text: answer, complete: false }, right: false },
      ...[...texts].map((text) => ({ item, response: { text, complete: true }, right: false })),
    ];
  });
}

function another(symbol: string, symbols: readonly string[]): string {
  return symbols.find((one) => one !== symbol) ?? "";
}

/**
 * Shows a task's verifier answers of known truth, before a run trusts it. Throws a user error `verifier-wrong` that
 * names the first one it misjudges, or says that there are too few (one right and two wrong at least), and `verifier-failed` where
 * the verifier has given up.
 *
 * @example
 * await runCanaries(reverse()) // { right: 8, wrong: 93 }
 */
export async function runCanaries(
  task: Pick<Task, "name" | "verifier" | "canaries">,
): Promise<{ readonly right: number; readonly wrong: number }> {
  readOptions("runCanaries()", taskSchema, task);
  const counts = { right: 0, wrong: 0 };
  const canaries = task.canaries();
  // All at once, for verifiers that take their time; the first in order that is misjudged is named.
  const judged = await Promise.all(
    canaries.map(async (canary) => ({
      canary,
      verdict: await verdictOf(task, canary.item, canary.response),
    })),
  );
  for (const { canary, verdict } of judged) {
    if (verdict.outcome === "void" || verdict.score >= 1 !== canary.right)
      throw misjudged(task, canary, verdict);
    counts[canary.right ? "right" : "wrong"] += 1;
  }
  if (counts.right < 1 || counts.wrong < 2) {
    throw userError(
      "verifier-wrong",
      `${task.name} has ${counts.right} known-right and ${counts.wrong} known-wrong answers to test its verifier with; give at least one right and two wrong ones in its canaries().`,
      { task: task.name, ...counts },
    );
  }
  return counts;
}

function misjudged(
  task: Pick<Task, "name" | "verifier">,
  { item, response, right }: Canary,
  verdict: Verdict,
): WhetstoneError {
  const truth = right ? "right" : "wrong";
  const cut = response.complete ? "" : " (cut off by the token limit)";
  const said = verdict.outcome === "void" ? `no verdict: ${verdict.reason}` : `score ${verdict.score}`;
  return userError(
    "verifier-wrong",
    `${task.name}: the answer ${JSON.stringify(response.text)}${cut} to ${JSON.stringify(item.prompt)} is known to be ${truth}, and the verifier "${task.verifier.name}" gave it ${said}. Mend the verifier, or the canary, before any run.`,
    { task: task.name, verifier: task.verifier.name, prompt: item.prompt, response: response.text, right },
  );
}
