import { describe, expect, test } from "vitest";
import type { Item, Response, Task } from "../../foundation/contract/index.ts";
import { addition } from "./addition.ts";
import { exactCanaries, runCanaries } from "./canaries.ts";
import { itemOf } from "./items.ts";
import { parity } from "./parity.ts";
import { reverse } from "./reverse.ts";
import { tasks } from "./tasks.ts";

function judgedBy(task: Task, verify: Task["verifier"]["verify"]): Task {
  return { ...task, verifier: { name: "planted", version: 1, verify } };
}

/** A verifier that is right save for what `accept` lets through. */
function lenient(task: Task, accept: (right: string, response: Response) => boolean): Task {
  return judgedBy(task, (item, response) => {
    const right = task.demonstrate(item, { uniform: () => 1 } as never);
    return { outcome: "scored", score: accept(right, response) ? 1 : 0 };
  });
}

const faults: readonly (readonly [string, (right: string, response: Response) => boolean])[] = [
  ["accepts everything", () => true],
  ["accepts nothing", () => false],
  ["is inverted", (right, { text, complete }) => !(complete && text === right)],
  ["does not mind an answer cut off", (right, { text }) => text === right],
  ["trims", (right, { text, complete }) => complete && text.trim() === right],
  ["trims the end", (right, { text, complete }) => complete && text.trimEnd() === right],
  ["reads the beginning only", (right, { text, complete }) => complete && text.startsWith(right)],
  ["reads the end only", (right, { text, complete }) => complete && text.endsWith(right)],
  ["accepts a beginning", (right, { text, complete }) => complete && right.startsWith(text)],
  ["searches for the answer", (right, { text, complete }) => complete && text.includes(right)],
  ["compares lengths", (right, { text, complete }) => complete && text.length === right.length],
  [
    "compares all but the first character",
    (right, { text, complete }) => complete && text.slice(1) === right.slice(1),
  ],
  [
    "compares all but the last character",
    (right, { text, complete }) => complete && text.slice(0, -1) === right.slice(0, -1),
  ],
  ["accepts silence", (right, { text, complete }) => complete && (text === right || text === "")],
];

describe.each([
  ["reverse", reverse()],
  ["addition", addition()],
  ["plain addition", addition({ form: "plain" })],
] as const)("a verifier of %s is found out that", (_name, task) => {
  test.each(faults)("%s", async (_fault, accept) => {
    await expect(runCanaries(lenient(task, accept))).rejects.toThrow(/is known to be (right|wrong)/);
  });

  test("is sound: it is not", async () => {
    const sound = lenient(task, (right, { text, complete }) => complete && text === right);
    expect((await runCanaries(sound)).right).toBeGreaterThan(0);
  });
});

test.each([
  [
    "compares numbers",
    addition({ form: "plain" }),
    (right: string, text: string) => Number(text) === Number(right),
  ],
  [
    "takes plain sums for reversed ones",
    addition(),
    (right: string, text: string) => [...text].reverse().join("") === right,
  ],
  ["wants every step", parity(), (_right: string, text: string) => text.length === 16],
  ["wants no steps", parity(), (right: string, text: string) => text === right],
  ["takes any text before the parity", parity(), (right: string, text: string) => text.endsWith(right)],
  [
    "takes the parity anywhere",
    parity(),
    (right: string, text: string) => /^[01]+$/.test(text) && text.includes(right),
  ],
])("a verifier that %s is found out", async (_fault, task, accept) => {
  const faulty = lenient(task, (right, { text, complete }) => complete && accept(right, text));
  await expect(runCanaries(faulty)).rejects.toThrow(/is known to be/);
});

describe("runCanaries", () => {
  test.each(Object.entries(tasks))("passes %s and counts", async (_name, make) => {
    const canaries = make().canaries();
    const right = canaries.filter((canary) => canary.right).length;
    expect(await runCanaries(make())).toEqual({ right, wrong: canaries.length - right });
    expect(right).toBeGreaterThanOrEqual(8);
    expect(canaries.length - right).toBeGreaterThanOrEqual(24);
  });

  test("shows reverse as many as its example says", async () => {
    expect(await runCanaries(reverse())).toEqual({ right: 8, wrong: 93 });
  });

  test("names the first answer that is misjudged", async () => {
    const accepting = judgedBy(reverse(), () => ({ outcome: "scored", score: 1 }));
    await expect(runCanaries(accepting)).rejects.toThrow(
      'reverse: the answer "0" (cut off by the token limit) to "0=" is known to be wrong, and the verifier "planted" gave it score 1. Mend the verifier, or the canary, before any run.',
    );
    try {
      await runCanaries(accepting);
      expect.unreachable();
    } catch (error) {
      expect(error).toMatchObject({
        code: "verifier-wrong",
        category: "user",
        details: { task: "reverse", verifier: "planted", prompt: "0=", response: "0", right: false },
      });
    }
  });

  test("does not take a void verdict for an answer", async () => {
    const failing = judgedBy(reverse(), () => ({ outcome: "void", reason: "no sandbox" }));
    await expect(runCanaries(failing)).rejects.toThrow(
      /is known to be right, .* gave it no verdict: no sandbox/,
    );
  });

  test("does not take half a score for a right answer, nor any for a wrong one", async () => {
    const task = reverse();
    const half = judgedBy(task, async (item, response) => {
      const verdict = await task.verifier.verify(item, response);
      return verdict.outcome === "scored" ? { ...verdict, score: verdict.score / 2 } : verdict;
    });
    await expect(runCanaries(half)).rejects.toThrow(/is known to be right, .* gave it score 0.5/);
  });

  test.each([
    ["none", () => []],
    ["right ones alone", (task: Task) => task.canaries().filter(({ right }) => right)],
    ["one wrong one", (task: Task) => task.canaries().slice(0, 2)],
    ["wrong ones alone", (task: Task) => task.canaries().filter(({ right }) => !right)],
  ])("wants more than %s", async (_what, canaries) => {
    const task = reverse();
    await expect(runCanaries({ ...task, canaries: () => canaries(task) })).rejects.toThrow(
      /give at least one right and two wrong ones in its canaries\(\)/,
    );
  });
});

describe("exactCanaries", () => {
  const item = itemOf(reverse(), { prompt: "123=", difficulty: 3 });
  const other = itemOf(reverse(), { prompt: "55=", difficulty: 2 });
  const canaries = exactCanaries(
    [
      { item, answer: "321", traps: ["123", "321"] },
      { item: other, answer: "55" },
    ],
    [..."0123456789"],
  );
  const wrongOf = (subject: Item): string[] =>
    canaries.flatMap((canary) =>
      canary.item === subject && !canary.right && canary.response.complete ? [canary.response.text] : [],
    );

  test("are the answer, and what is near it and wrong", async () => {
    expect(wrongOf(item)).toEqual([
      "",
      "21",
      "32",
      "3211",
      "3321",
      "320",
      "021",
      " 321",
      "321\n",
      "123=321",
      "123",
      "55",
    ]);
    expect(wrongOf(other)).toEqual(["", "5", "555", "50", "05", " 55", "55\n", "55=55", "321"]);
  });

  test("hold each answer whole and cut off, and no text twice", async () => {
    for (const [subject, answer] of [
      [item, "321"],
      [other, "55"],
    ] as const) {
      const own = canaries.filter((canary) => canary.item === subject);
      const keys = own.map(({ response }) => JSON.stringify(response));
      expect(new Set(keys).size).toBe(own.length);
      expect(own.slice(0, 2)).toEqual([
        { item: subject, response: { text: answer, complete: true }, right: true },
        { item: subject, response: { text: answer, complete: false }, right: false },
      ]);
    }
  });
});
