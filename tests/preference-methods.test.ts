import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import {
  byTurn,
  defineRun,
  demonstrations,
  dpo,
  everything,
  gro,
  harnessAnswers,
  type Item,
  iterativeRpo,
  judge,
  kto,
  type Method,
  metaRewarding,
  onPolicyDistillation,
  preference,
  procedural,
  rejectionSampling,
  reverse,
  rewardWeighted,
  rise,
  run,
  type Source,
  sampledDecoding,
  samples,
  score,
  scpo,
  self,
  selfConsistency,
  selfRewarding,
  spin,
  sppo,
  supervised,
  type Task,
  tabular,
  tiny,
  unlikelihood,
  unpairedPreference,
  verifier,
} from "../src/index.ts";
import { figuresOf, imitating } from "./table-rounds.ts";

/** Say the digit again. Every role is asked in a letter; the base is right four times of seven, and judges well. */
const digits = reverse({ lengths: [1, 1], growTo: 1, measureTo: 1 });
const digitOf = ({ prompt }: Pick<Item, "prompt">): string => prompt[0] ?? "";
const prompts = {
  judge: (item, { text }) => ({ prompt: `j${digitOf(item)}${text}?` }),
  critique: (item, { text }) => ({ prompt: `c${digitOf(item)}${text}?` }),
  revise: (item, { text }, critique = "") => ({ prompt: `r${digitOf(item)}${text}${critique}:` }),
  verdictWords: ["y", "n"],
} satisfies Task["prompts"];
const task: Task = { ...digits, name: "digits", characters: `${digits.characters}jcrynx?:`, prompts };

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
      const text = random.uniform() < 0.5 ? right : slip;
      const role = random.integer(0, 9);
      if (role < 4) return { item, response: random.uniform() < 4 / 7 ? right : slip };
      if (role < 7)
        return as(prompts.judge(item, { text, complete: true }).prompt, text === right ? "y" : "n");
      if (role < 8) return as(prompts.critique(item, { text, complete: true }).prompt, "x");
      return as(
        prompts.revise(item, { text, complete: true }, random.integer(0, 1) === 0 ? "x" : "").prompt,
        right,
      );
    }),
};

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "whetstone-preference-methods-"));
});
afterAll(() => rm(folder, { recursive: true, force: true }));

const rounds = 2;

/** Share of right answers among what the lead wrote in each round, and what each training said of itself. */
async function play(optimize: Method, given: Task = task) {
  const definition = defineRun({
    name: optimize.name,
    task: given,
    model: tiny({ layers: 1, width: 8, heads: 1 }),
    engine: tabular({ horizon: 12 }),
    prepare: supervised({ on: roles, steps: 120, batch: 64, learningRate: 0.2 }),
    acquire: [demonstrations({ items: 40 }), procedural({ difficulty: 1, items: 10 })],
    // The same ten items every round.
    select: [],
    optimize,
    refine: sampledDecoding(),
    guard: [],
    gate: { mode: "observe" },
    evaluate: { perStratum: 8, auditPerStratum: 8, finalAuditPerStratum: 8 },
    budget: { rounds },
  });
  const { events } = await run(definition, { folder });
  return figuresOf(events);
}

const rate = { learningRate: 0.3 };
const pairs = preference({ ...rate, steps: 20, batch: 8 });

describe("on a table, each method makes right answers more frequent", () => {
  test.each<readonly [string, Method]>([
    ["DPO", dpo({ samples: 16, update: pairs })],
    [
      "IPO",
      dpo({ samples: 16, update: preference({ ...rate, loss: { name: "ipo" }, steps: 20, batch: 8 }) }),
    ],
    [
      "SimPO",
      dpo({ samples: 16, update: preference({ ...rate, loss: { name: "simpo" }, steps: 20, batch: 8 }) }),
    ],
    [
      "ORPO",
      dpo({ samples: 16, update: preference({ ...rate, loss: { name: "orpo" }, steps: 20, batch: 8 }) }),
    ],
    ["KTO", kto({ samples: 16, update: unpairedPreference({ ...rate, steps: 20, batch: 16 }) })],
    ["iterative RPO", iterativeRpo({ samples: 16, ...rate })],
    ["SPPO", sppo({ samples: 16, learningRate: 0.3, epochs: 8 })],
    ["SPIN", spin({ ...rate, epochs: 8 })],
    ["ScPO", scpo({ samples: 16, least: 0.3, ...rate })],
    ["Self-Rewarding", selfRewarding({ samples: 16, temperature: 1, topP: 1, update: pairs })],
    ["Meta-Rewarding", metaRewarding({ samples: 8, temperature: 1, judgements: 4, ...rate })],
    [
      "SELF",
      self({
        samples: 8,
        update: imitating,
      }),
    ],
    [
      "RISE",
      rise({
        samples: 8,
        revisions: 2,
        update: rewardWeighted({ mostPerPrompt: 1, learningRate: 0.2, epochs: 8, optimizerState: "fresh" }),
      }),
    ],
    ["SCoRe", score({ items: 10, samples: 8, stages: [6, 12], learningRate: 0.1, kl: 0, firstKl: 0.1 })],
    [
      "unlikelihood",
      gro({
        generate: samples({ samples: 16 }),
        reward: verifier(),
        update: unlikelihood({ learningRate: 0.3, epochs: 8 }),
      }),
    ],
  ])("%s", async (_, method) => {
    const { right } = await play(method);
    expect(right).toHaveLength(rounds);
    expect(right.at(-1)).toBeGreaterThan((right[0] ?? 1) + 0.1);
  });

  test("what a vote answers is taught to the weights as their first answer", async () => {
    const generate = harnessAnswers({ harness: selfConsistency({ samples: 15 }) });
    const voted = await play(rejectionSampling({ generate, reward: everything(), update: imitating }));
    // The votes are right more often than a single answer of the base is, four times of seven.
    expect(voted.right[0]).toBeGreaterThan(0.8);
    expect(voted.accuracy.at(-1)).toBeGreaterThan((voted.accuracy[0] ?? 1) + 0.1);
  });

  test("distilling from the weights that the round began with changes little", async () => {
    const { right } = await play(
      gro({
        generate: samples({ samples: 16 }),
        reward: everything(),
        update: onPolicyDistillation(),
        repeat: 4,
      }),
    );
    expect(Math.abs((right.at(-1) ?? 1) - (right[0] ?? 0))).toBeLessThan(0.2);
  });
}, 120_000);

describe("none learns from nothing without a word", () => {
  test("where all rewards are equal the groups are skipped, counted and shown", async () => {
    const { evidence, summaries } = await play(dpo({ samples: 4, reward: everything() }));
    expect(evidence[0]).toMatchObject({ tokensTrained: 0, groupsTaught: 0, groupsSkipped: 10 });
    expect(evidence[0]?.blocked).toMatch(
      /^nothing was learnt: none of 10 groups has two different responses with different rewards$/,
    );
    expect(summaries).toContain(evidence[0]?.blocked);
  });

  test("a prompt that is skipped is said to be so for want of what its update needs", async () => {
    const { evidence, summaries } = await play(rise({ samples: 1, revisions: 1 }));
    expect(evidence[0]?.groupsSkipped).toBeGreaterThan(0);
    expect(summaries.join("\n")).toMatch(
      /groups skipped, none of which has a response with a reward above 0/,
    );
  });

  test("a judge whose verdicts cannot be read has no say, and is counted", async () => {
    const mute: Task = {
      ...task,
      prompts: { ...prompts, judge: (item) => ({ prompt: `${digitOf(item)}=` }) },
    };
    const { evidence } = await play(selfRewarding({ samples: 4, update: pairs }), mute);
    expect(evidence[0]).toMatchObject({ tokensTrained: 0, unreadVerdicts: 40 });
    expect(evidence[0]?.blocked).toBe(
      "nothing was learnt: 40 of the judge's verdicts could not be read, and no other response has a reward",
    );
  });

  test("a task whose words leave the judge out is refused before anything starts", async () => {
    const wordless: Task = { ...task, prompts: { revise: prompts.revise } };
    await expect(play(selfRewarding(), wordless)).rejects.toMatchObject({ code: "no-words" });
    await expect(
      play(gro({ generate: samples(), reward: byTurn({ by: judge() }), update: pairs }), wordless),
    ).rejects.toThrow(/none for a judge/);
  });
}, 120_000);
