import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, test } from "vitest";
import { runningSums } from "../bench/methods/running-sums.ts";
import { randomStream } from "../src/foundation/base/index.ts";
import {
  absoluteZero,
  askDocuments,
  drZero,
  dte,
  everything,
  type GeneratePart,
  gro,
  itemIdentity,
  learnability,
  type Method,
  multiagentFinetuning,
  policyGradient,
  propose,
  quietStar,
  type RewardPart,
  type RunConfig,
  type RunEvent,
  roundTrip,
  rZero,
  samples,
  seal,
  serl,
  simRag,
  spice,
  supervised,
  type Task,
  tabular,
  weighted,
} from "../src/index.ts";
import { drawItems } from "../src/world/task/index.ts";
import { tableRound } from "./table-rounds.ts";

/** Answers are single letters whatever is asked, so that a table solves some of what it never saw. */
const task: Task = {
  ...runningSums(),
  verifier: {
    name: "an even last digit",
    version: 1,
    verify: (_, { text }) => ({ outcome: "scored", score: /[02468]$/.test(text) ? 1 : 0 }),
  },
  readProblem: (text, difficulty) => {
    const digits = text.replaceAll(/\D/g, "").slice(0, difficulty);
    return digits.length < difficulty ? undefined : runningSums().readProblem?.(`${digits}=`, difficulty);
  },
  readEdit: (text, difficulty) => {
    const digits = text.replaceAll(/\D/g, "");
    return digits.length <= difficulty
      ? undefined
      : [{ prompt: `s${digits.slice(0, difficulty)}=`, response: digits.at(-1) ?? "" }];
  },
  canaries: () =>
    runningSums()
      .canaries()
      .slice(0, 6)
      .map(({ item }, at) => ({ item, response: { text: String(at), complete: true }, right: at % 2 === 0 })),
};

async function playedBy(
  name: string,
  optimize: Method,
  guard: RunConfig["guard"] = [],
  of = task,
): Promise<readonly RunEvent[]> {
  const folder = await mkdtemp(join(tmpdir(), "whetstone-documents-"));
  try {
    // What follows depends on one token alone: a table that goes beyond what it saw.
    const engine = tabular({ deviation: 0, horizon: 1, backOff: 1 });
    return await tableRound(folder, { name, task: of, engine, optimize, steps: 60, guard });
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

test.each<readonly [string, Method]>([
  ["absoluteZero", absoluteZero({ turns: 1, items: 8, proposals: 2, attempts: 4, samples: 4 })],
  ["spice", spice({ turns: 1, items: 8, proposals: 4, attempts: 4, samples: 4 })],
  ["drZero", drZero({ steps: 2, proposals: 8, items: 8, samples: 4, searches: 1 })],
  ["seal", seal({ items: 8, edits: 4, questions: 4, attempts: 4, keep: "improved", innerLearningRate: 0.5 })],
  ["rZero", rZero({ steps: 2, items: 8, samples: 4, attempts: 5 })],
  ["serl", serl({ steps: 2, items: 8, samples: 4, attempts: 5 })],
  ["dte", dte({ steps: 2, items: 8, samples: 4 })],
  ["multiagentFinetuning", multiagentFinetuning({ agents: 2, steps: 4 })],
  ["quietStar", quietStar({ items: 8, steps: 2, samples: 4 })],
])("%s goes round once on the tabular engine, and learns something", async (name, optimize) => {
  const events = await playedBy(name, optimize);
  const [training] = events.flatMap((event) => (event.type === "training-finished" ? [event.evidence] : []));
  expect(training?.blocked ?? null).toBeNull();
  expect(Number(training?.tokensTrained)).toBeGreaterThan(0);
  expect(Number(training?.tokensSampled)).toBeGreaterThan(0);
  // What a pass made is attempted: the pass that learns it had items.
  const making = ["absoluteZero", "spice", "drZero", "rZero", "serl", "dte"].includes(name);
  const attempted = { attempted: expect.any(Number) };
  expect(training?.proposed).toEqual(making ? expect.objectContaining(attempted) : undefined);
});

const quotedTo: Readonly<Record<string, (documents: readonly string[]) => Method>> = {
  "who proposes": (documents) =>
    spice({ documents, turns: 1, items: 4, proposals: 2, attempts: 2, samples: 2 }),
  "the solver of proposals alone": (documents) =>
    gro({
      generate: propose({ samples: 2 }),
      reward: learnability({ solver: "policy", attempts: 2, search: { documents } }),
      update: policyGradient(),
    }),
  "one reward of several": (documents) =>
    gro({
      generate: askDocuments(),
      reward: weighted({ back: { reward: roundTrip({ documents, solver: "policy", attempts: 2 }) } }),
      update: supervised({ steps: 2 }),
    }),
};

test.each([
  ["decision", "who proposes", "stop"],
  ["train", "who proposes", "ok"],
  ["decision", "the solver of proposals alone", "stop"],
  ["decision", "one reward of several", "stop"],
] as const)("a document that quotes a %s item, given to %s: %s", async (split, who, answer) => {
  // The stream that the guard draws from, so that it is one of those that it knows.
  const random = randomStream(0, `contamination/4/${split}`);
  const [item] = drawItems({ task, difficulty: 4, split, count: 1, random });
  const documents = [`${item?.prompt},${item?.answer}`];
  const events = await playedBy(`quoted-${split}`, (quotedTo[who] as (typeof quotedTo)[string])(documents), [
    itemIdentity(),
  ]);
  expect(JSON.stringify(events.filter(({ type }) => type.includes("guard")))).toContain(
    `"answer":"${answer}"`,
  );
});

test("a document of the task's own that quotes a decision item stops a method that reads it", async () => {
  const random = randomStream(0, "contamination/4/decision");
  const [item] = drawItems({ task, difficulty: 4, split: "decision", count: 1, random });
  const quoting = { ...task, document: () => `${item?.prompt},${item?.answer}` };
  const optimize = simRag({ steps: 1 });
  const events = await playedBy("quoted-by-the-task", optimize, [itemIdentity()], quoting);
  expect(JSON.stringify(events.filter(({ type }) => type.includes("guard")))).toContain('"answer":"stop"');
});

/** Groups rollouts by the items that they answer, and rewards all. */
const regrouped: RewardPart = {
  ...everything(),
  name: "regrouped",
  reward: async (groups) =>
    groups.map((group) => ({
      item: group.rollouts[0]?.item ?? group.item,
      rollouts: group.rollouts.map((rollout) => ({ rollout, reward: 1, parts: {} })),
    })),
};

test.each([
  ["decision", "stop"],
  ["train", "ok"],
] as const)(
  "a part that writes for %s items in the place of those that it was given: %s",
  async (split, answer) => {
    const { generate, ...rest } = samples({ samples: 2 });
    const swapped: GeneratePart = {
      ...rest,
      name: "swapped",
      generate: (request) => {
        const random = randomStream(request.seed, "swapped");
        const count = request.items.length;
        return generate({ ...request, items: drawItems({ task, difficulty: 4, split, count, random }) });
      },
    };
    const optimize = gro({ generate: swapped, reward: regrouped, update: supervised({ steps: 2 }) });
    const events = await playedBy(`swapped-${split}`, optimize, [itemIdentity()]);
    expect(JSON.stringify(events.filter(({ type }) => type.includes("guard")))).toContain(
      `"answer":"${answer}"`,
    );
  },
);
