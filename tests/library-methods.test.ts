import { createHash } from "node:crypto";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import {
  bestOfN,
  defineRun,
  demonstrations,
  fromGuidelines,
  type Harness,
  type Item,
  type Method,
  procedural,
  reGenesis,
  reverse,
  rlc,
  run,
  type Source,
  sampledDecoding,
  simRag,
  sirius,
  supervised,
  type Task,
  tabular,
  tiny,
  trace,
  vStar,
} from "../src/index.ts";
import { figuresOf, imitating } from "./table-rounds.ts";

/** Say the digit again. Every role is asked in a letter; the base is right four times of seven, and judges and revises well. */
const digits = reverse({ lengths: [1, 1], growTo: 1, measureTo: 1 });
const digitOf = ({ prompt }: Pick<Item, "prompt">): string => prompt.at(-2) ?? "";
/** A document says which digit comes next: nobody asks about that in the round. */
const next = (digit: string): string => String((Number(digit) + 1) % 10);
const prompts = {
  hint: (item) => ({ prompt: `h${digitOf(item)}:` }),
  judge: (item, { text }) => ({ prompt: `j${digitOf(item)}${text}?` }),
  critique: (item, { text }) => ({ prompt: `c${digitOf(item)}${text}?` }),
  revise: (item, { text }, critique = "") => ({ prompt: `r${digitOf(item)}${text}${critique}:` }),
  plan: (item) => ({ prompt: `g${digitOf(item)}?` }),
  follow: (item, plan) => ({ prompt: `f${digitOf(item)}${plan}:` }),
  ask: (document) => ({ prompt: `k${document}:` }),
  ground: (item, document) => ({ prompt: `d${document}${digitOf(item)}=` }),
  verdictWords: ["y", "n"],
} satisfies Task["prompts"];
const task: Task = {
  ...digits,
  name: "digits",
  characters: `${digits.characters}hjcrgfkdynx?:`,
  // A question with its document before it is the same question.
  verifier: {
    ...digits.verifier,
    verify: (item, { text, complete }) => ({
      outcome: "scored",
      score: complete && text === digitOf(item) ? 1 : 0,
    }),
  },
  document: (item) => `${next(digitOf(item))}=`,
  readProblem: (text, difficulty) =>
    /^\d=$/.test(text) ? { prompt: text, answer: text[0] ?? "", difficulty } : undefined,
  prompts,
};

const roles: Source = {
  ...demonstrations(),
  name: "roles",
  description: {},
  draw: (_, count, random) =>
    (demonstrations().draw?.(task, count, random) ?? []).map(({ item }) => {
      const right = digitOf(item);
      const slip = String((Number(right) + random.integer(1, 3)) % 10);
      const as = (prompt: string, response: string) => ({
        item: { ...item, prompt, canonical: prompt },
        response,
        about: item,
      });
      const unsure = random.uniform() < 4 / 7 ? right : slip;
      const text = random.uniform() < 0.5 ? right : slip;
      const response = { text, complete: true };
      const role = random.integer(0, 15);
      if (role < 4) return { item, response: unsure };
      if (role < 7) return as(prompts.judge(item, response).prompt, text === right ? "y" : "n");
      if (role < 8) return as(prompts.critique(item, response).prompt, "x");
      if (role < 10) return as(prompts.revise(item, response, "x").prompt, right);
      if (role < 11) return as(prompts.hint(item).prompt, right);
      if (role < 12) return as(prompts.plan(item).prompt, "x");
      if (role < 13) return as(prompts.follow(item, "x").prompt, right);
      if (role < 14) return as(prompts.ask(`${right}=`).prompt, `${right}=`);
      return as(prompts.ground(item, `${right}=`).prompt, unsure);
    }),
};

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "whetstone-library-methods-"));
});
afterAll(() => rm(folder, { recursive: true, force: true }));

const rounds = 2;

/** What each training said of itself, and how often the run answers right, from the base on. */
async function play(optimize: Method, { refine, items = 10 }: { refine?: Harness; items?: number } = {}) {
  const definition = defineRun({
    name: optimize.name,
    task,
    model: tiny({ layers: 1, width: 8, heads: 1 }),
    engine: tabular({ horizon: 12 }),
    prepare: supervised({ on: roles, steps: 150, batch: 96, learningRate: 0.2 }),
    acquire: [demonstrations({ items: 40 }), procedural({ difficulty: 1, items })],
    select: [],
    optimize,
    refine: refine ?? sampledDecoding(),
    guard: [],
    gate: { mode: "observe" },
    evaluate: { perStratum: 8, auditPerStratum: 8, finalAuditPerStratum: 8 },
    budget: { rounds },
  });
  const { events } = await run(definition, { folder });
  return figuresOf(events);
}

describe("on a table", () => {
  test("RLC makes more frequent what the base finds right", async () => {
    const { right } = await play(rlc({ items: 10, samples: 16, steps: 12, learningRate: 0.1, kl: 0 }));
    // Of all that was written in a round, while it learnt; the base is right four times of seven.
    expect(right[0]).toBeGreaterThan(0.7);
    expect(right.at(-1)).toBeGreaterThan(Math.max(0.9, right[0] ?? 1));
  });

  test("V-STaR's generator gains, and its verifier answers better than the base's likelihood", async () => {
    const refine = bestOfN({ samples: 8, by: "verifier" });
    const method = vStar({ samples: 16, steps: 20, learningRate: 0.2, verifierLearningRate: 0.3 });
    const { accuracy, right, evidence } = await play(method, { refine });
    expect(right.at(-1)).toBeGreaterThan((right[0] ?? 1) + 0.1);
    expect(accuracy.at(-1)).toBeGreaterThanOrEqual(Math.max(0.9, accuracy[0] ?? 1));
    expect(evidence[0]).toMatchObject({ groupsTaught: 10 });
  });

  test("ReGenesis teaches what it finds along a plan as its first answer", async () => {
    const method = reGenesis({ generate: fromGuidelines({ samples: 4 }), update: imitating });
    const { accuracy, right } = await play(method);
    // With a plan the base is right more often than four times of seven; without one it becomes so.
    expect(right[0]).toBeGreaterThan(0.75);
    expect(accuracy.at(-1)).toBeGreaterThan((accuracy[0] ?? 1) + 0.15);
  });

  test("SimRAG learns to answer its own questions with the document in view as it mostly does", async () => {
    const method = simRag({
      attempts: 8,
      agreement: 0.5,
      samples: 8,
      questions: 4,
      steps: 20,
      learningRate: 0.2,
    });
    const { right, evidence } = await play(method, { items: 5 });
    expect(right.at(-1)).toBeGreaterThan((right[0] ?? 1) + 0.1);
    expect(Number(evidence[0]?.tokensTrained)).toBeGreaterThan(0);
  });

  test("what SimRAG learns knows the line of the file that it was asked about", async () => {
    const facts = join(folder, "facts.jsonl");
    const texts = Array.from("0123456789", (digit) => `${digit}=`);
    await writeFile(facts, texts.map((text) => `${JSON.stringify({ text })}\n`).join(""));
    await play(simRag({ documents: facts, agreement: 0.5, steps: 4 }), { items: 5 });
    const weights = await trace({ folder, of: "candidate" });
    if (weights.kind !== "checkpoint") throw new Error("no checkpoint was traced");
    const made = weights.weights[0]?.training?.sources.filter(({ items }) => items.kind === "model") ?? [];
    // Documents of one file are one source, however many there are.
    expect(made.map(({ items, real }) => [items.name, real])).toEqual([
      ["model:solver from documents of facts.jsonl", false],
    ]);
    const example = await trace({ folder, of: made[0]?.samples[0]?.id ?? "" });
    if (example.kind !== "example") throw new Error("no example was traced");
    const span = example.origins.find(({ document }) => document?.file === "facts.jsonl")?.document;
    const text = texts[(span?.line ?? 0) - 1] ?? "";
    expect(example.prompt).toContain(text);
    expect(span).toEqual({
      sha256: createHash("sha256").update(text).digest("hex"),
      from: 0,
      to: text.length,
      file: "facts.jsonl",
      line: expect.any(Number),
    });
  });

  test("SimRAG that nothing comes back of says so, and learns nothing", async () => {
    const { evidence } = await play(simRag({ agreement: 1, attempts: 16, nearest: 1 }), { items: 10 });
    expect(evidence[0]).toMatchObject({
      tokensTrained: 0,
      blocked: expect.stringMatching(/^nothing was learnt: no question led back to its document/),
    });
  });

  test("SiriuS teaches the solver and the critic what led to right answers", async () => {
    const { right, evidence } = await play(sirius({ samples: 4, steps: 20, learningRate: 0.2 }));
    expect(right.at(-1)).toBeGreaterThan((right[0] ?? 1) + 0.1);
    expect(Number(evidence[0]?.kept)).toBeGreaterThan(20);
  });
});
