import { describe, expect, test } from "vitest";
import { isWhetstoneError } from "../../../foundation/base/index.ts";
import type { Problem, Stratum, Task, Verdict } from "../../../foundation/contract/index.ts";
import { addition } from "../addition.ts";
import { parity } from "../parity.ts";
import { reverse } from "../reverse.ts";
import type { TaskCheck } from "./check.ts";
import { taskChecks } from "./task-checks.ts";

const sound = reverse();
const names = taskChecks(sound).map(({ name }) => name);

/** Names of the checks that a task fails, with what they say. */
async function failures(task: Task): Promise<Map<string, string>> {
  const failed = new Map<string, string>();
  for (const { name, run } of taskChecks(task)) {
    try {
      await run();
    } catch (error) {
      failed.set(name, isWhetstoneError(error) ? error.message : `threw: ${error}`);
    }
  }
  return failed;
}

function withStrata(change: (strata: readonly Stratum[]) => readonly Stratum[]): Task {
  return { ...sound, strata: change(sound.strata) };
}

function withStratum(difficulty: number, change: Partial<Stratum>): Task {
  return withStrata((strata) =>
    strata.map((stratum) => (stratum.difficulty === difficulty ? { ...stratum, ...change } : stratum)),
  );
}

function withScale(change: Partial<Task["difficulty"]>): Task {
  return { ...sound, difficulty: { ...sound.difficulty, ...change } };
}

function withProblems(change: (problem: Problem) => Problem): Task {
  return { ...sound, generate: (difficulty, random) => change(sound.generate(difficulty, random)) };
}

function judgedBy(verify: Task["verifier"]["verify"]): Task {
  return { ...sound, verifier: { ...sound.verifier, verify } };
}

let calls = 0;
const flickering = (): Verdict => ({ outcome: "scored", score: calls++ % 2 });

type Fault = readonly [check: string, fault: string, task: Task, says: RegExp];
const faults: readonly Fault[] = [
  ["name, version, scale and strata make sense", "no name", { ...sound, name: "" }, /no name/],
  [
    "name, version, scale and strata make sense",
    "half a version",
    { ...sound, version: 1.5 },
    /version is 1.5/,
  ],
  ["name, version, scale and strata make sense", "a falling scale", withScale({ growTo: 3 }), /1, 8, 3, 18/],
  [
    "name, version, scale and strata make sense",
    "a scale beyond the strata",
    withScale({ measureTo: 20 }),
    /no stratum of length 20/,
  ],
  [
    "name, version, scale and strata make sense",
    "strata out of order",
    withStrata((strata) => strata.toReversed()),
    /order of difficulty/,
  ],
  [
    "name, version, scale and strata make sense",
    "a stratum outside",
    withScale({ base: [2, 8] }),
    /"length 1" lies outside/,
  ],
  [
    "name, version, scale and strata make sense",
    "a negative weight",
    withStratum(3, { weight: -1 }),
    /"length 3" has the weight -1/,
  ],
  [
    "name, version, scale and strata make sense",
    "no count",
    withStratum(3, { distinct: Number.NaN }),
    /"length 3" has NaN distinct/,
  ],
  [
    "name, version, scale and strata make sense",
    "one name twice",
    withStratum(3, { name: "length 4" }),
    /share a name/,
  ],
  [
    "name, version, scale and strata make sense",
    "no target distribution",
    withStrata((strata) => strata.map((stratum) => ({ ...stratum, weight: 0 }))),
    /every stratum has weight 0/,
  ],
  [
    "one stream gives the same items and demonstrations",
    "dice of its own",
    withProblems((problem) => ({ ...problem, answer: String(Math.random()) })),
    /one stream gives different/,
  ],
  [
    "one stream gives the same items and demonstrations",
    "demonstrations that count up",
    { ...sound, demonstrate: () => String(calls++) },
    /one stream gives different/,
  ],
  [
    "items stay in their stratum",
    "a difficulty of its own",
    withProblems((problem) => ({ ...problem, difficulty: 4 })),
    /has difficulty 4/,
  ],
  [
    "items stay in their stratum",
    "items in two strata",
    { ...sound, canonical: ({ prompt }) => prompt.slice(0, 1) },
    /is an item of length 1 and of length 2/,
  ],
  [
    "a canonical form is stable",
    "a canonical form that counts up",
    { ...sound, canonical: () => String(calls++) },
    /two canonical forms/,
  ],
  [
    "a canonical form is stable",
    "a canonical form with the answer in it",
    { ...sound, canonical: ({ prompt, answer }) => `${prompt}${answer}` },
    /two canonical forms/,
  ],
  ["a canonical form is stable", "an empty canonical form", { ...sound, canonical: () => "" }, /is empty/],
  [
    "listed strata list what can be drawn, and what each split holds",
    "a wrong count of a split",
    withStratum(2, { splits: { train: 1, validation: 1, decision: 1, audit: 1 } }),
    /length 2 says 1 train items and lists/,
  ],
  [
    "enumerated strata list what can be drawn",
    "a wrong count",
    withStratum(2, { distinct: 99 }),
    /length 2 says 99 distinct items and lists 100, 100 of them/,
  ],
  [
    "enumerated strata list what can be drawn",
    "a list with repetitions",
    {
      ...sound,
      *enumerate(difficulty) {
        yield* sound.enumerate(difficulty);
        yield* sound.enumerate(difficulty);
      },
    },
    /lists 20, 10 of them distinct/,
  ],
  [
    "enumerated strata list what can be drawn",
    "a list of other items",
    {
      ...sound,
      *enumerate(difficulty) {
        for (const problem of sound.enumerate(difficulty)) yield { ...problem, prompt: `0${problem.prompt}` };
      },
    },
    /does not list/,
  ],
  [
    "enumerated strata list what can be drawn",
    "a list of another difficulty",
    { ...sound, enumerate: () => sound.enumerate(1) },
    /of difficulty 1/,
  ],
  [
    "enumerated strata list what can be drawn",
    "items never drawn",
    withProblems((problem) => ({ ...problem, prompt: problem.prompt.replaceAll("7", "8") })),
    /never drawn, such as "7"/,
  ],
  [
    "listed strata list what they say, and nothing else is drawn",
    "made-up splits",
    withStratum(3, { splits: { train: 997, validation: 1, decision: 1, audit: 1 } }),
    /length 3 says 997 train items and lists \d{3}\./,
  ],
  [
    "other strata are as large as they say",
    "a stratum said to be larger than it is",
    {
      ...sound,
      generate: (difficulty, random) => ({
        prompt: `${random.integer(0, 9)}`.repeat(difficulty).concat("="),
        difficulty,
      }),
    },
    /repeat an item \d+ times/,
  ],
  [
    "the verifier passes its canaries",
    "a verifier that says yes",
    judgedBy(() => ({ outcome: "scored", score: 1 })),
    /known to be wrong/,
  ],
  ["the verifier passes its canaries", "no canaries", { ...sound, canaries: () => [] }, /0 known-right/],
  [
    "demonstrations are right",
    "wrong demonstrations",
    { ...sound, demonstrate: ({ prompt }) => prompt.slice(0, -1) },
    /is scored 0, not 1/,
  ],
  [
    "demonstrations are right",
    "a verifier that fails",
    judgedBy(() => {
      throw new Error("no sandbox");
    }),
    /no score: .*no sandbox/,
  ],
  [
    "an answer cut off by the token limit scores nothing",
    "a verifier that does not mind",
    judgedBy((item, { text }) => sound.verifier.verify(item, { text, complete: true })),
    /cut off by the token limit, is scored 1/,
  ],
  [
    "maxTokens suffices for every demonstration",
    "no room for the end",
    { ...sound, maxTokens: ({ difficulty }) => difficulty },
    /can take/,
  ],
  [
    "maxTokens suffices for every demonstration",
    "no number",
    { ...sound, maxTokens: () => Number.NaN },
    /maxTokens is NaN/,
  ],
  [
    "characters cover prompts and demonstrations",
    "a sign left out",
    { ...sound, characters: "0123456789" },
    /lack "="/,
  ],
  [
    "any text is scored, always the same way",
    "a verifier that trips",
    judgedBy((item, { text, complete }) =>
      sound.verifier.verify(item, { text: JSON.parse(`"${text}"`), complete }),
    ),
    /gives .* no score/,
  ],
  ["any text is scored, always the same way", "a verifier that flickers", judgedBy(flickering), /and then/],
];

test.each([
  ["reverse", sound],
  ["addition", addition()],
  ["parity", parity()],
  [
    "a task that demonstrates nothing beyond its base",
    {
      ...sound,
      demonstrate: (item, random) => {
        if (item.difficulty > 8) throw new RangeError("nobody knows");
        return sound.demonstrate(item, random);
      },
    } satisfies Task,
  ],
])("%s keeps every promise", async (_name, task) => {
  expect(await failures(task)).toEqual(new Map());
});

describe.each(names)("%s", (name) => {
  const planted = faults.filter(([check]) => check === name);

  test("has a fault planted for it", async () => {
    expect(planted.length).toBeGreaterThan(0);
  });

  test.each(planted.map(([, fault, task, says]) => [fault, task, says] as const))(
    "finds %s",
    async (_fault, task, says) => {
      expect((await failures(task)).get(name)).toMatch(says);
    },
  );
});

test("a check that fails throws a user error that names the task", async () => {
  const check = taskChecks({ ...sound, characters: "01" }).find(({ name }) =>
    name.startsWith("characters"),
  ) as TaskCheck;
  await expect(check.run()).rejects.toThrow(
    expect.objectContaining({ code: "task-promise-broken", category: "user", details: { task: "reverse" } }),
  );
});
