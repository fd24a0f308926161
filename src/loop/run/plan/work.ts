import { type RandomStream, randomStream } from "../../../foundation/base/index.ts";
import type { Item, Selector, Tokenizer } from "../../../foundation/contract/index.ts";
import type { Pass } from "../../../gro/method.ts";
import { contextTokens, responseTokens } from "../../../gro/rollout/index.ts";
import type { ExampleCounts, SupervisedUpdate } from "../../../gro/update/index.ts";
import { evaluationItems } from "../../../lifecycle/evaluate/index.ts";
import { drawItems } from "../../../world/task/index.ts";
import type { RunDefinition } from "../../round/definition.ts";
import { preparationOf, preparationSteps } from "../../round/preparation.ts";

/** A stage's work in tokens: what the model reads and writes, prompts included. */
export interface Work {
  readonly stage: "prepare" | "select" | "optimize" | "evaluate" | "decide" | "audit";
  readonly what: string;
  readonly tokensTrained: number;
  readonly tokensSampled: number;
  /** Processes that can share it. */
  readonly lanes: number;
}

export interface RunWork {
  readonly preparation: readonly Work[];
  /** One round at its dearest: nothing is filtered out, the opening reaches its cap, the candidate is promoted. */
  readonly round: readonly Work[];
  readonly end: readonly Work[];
}

export interface WorkRequest {
  readonly definition: RunDefinition;
  readonly tokenizer: Tokenizer;
  readonly fromScratch: boolean;
  /** Most pairs of an opening; 0 when the gate has no strata. */
  readonly pairs: number;
}

const itemsMeasured = 64;

/** Counts the tokens of every stage on items like those that it will see. */
export function countWork({ definition, tokenizer, fromScratch, pairs }: WorkRequest): RunWork {
  const { task, optimize, refine, evaluate, acquire, select, gate } = definition;
  const { base, growTo, unit } = task.difficulty;
  const random = randomStream(definition.seed, "plan");
  const lengthOf = (items: readonly Item[]): number => meanLength(definition, tokenizer, items, random);
  const drawn = (difficulty: number): Item[] =>
    drawItems({ task, difficulty, split: "train", count: itemsMeasured, random, distinct: false });
  const roundLength = lengthOf(drawn(growTo));
  const preparing = preparationOf(definition, fromScratch);
  const roles = optimize.roles.length;
  const models = roles === 1 ? "one model" : `${roles} models at once`;
  const acquired = acquire.reduce((most, { mostItems }) => most + mostItems, 0);
  const sampled = (stage: Work["stage"], what: string, tokensSampled: number): Work => ({
    stage,
    what,
    tokensSampled,
    tokensTrained: 0,
    lanes: Number.POSITIVE_INFINITY,
  });
  const answered = (stage: Work["stage"], what: string, tokens: number): Work =>
    sampled(stage, what, tokens * refine.samplesPerItem);
  const splitTokens = (split: "validation" | "audit", perStratum: number): number => {
    const items = evaluationItems({ task, split, perStratum, random });
    return items.length * lengthOf(random.shuffle(items).slice(0, itemsMeasured));
  };
  const preparation = (update: SupervisedUpdate): Work => ({
    stage: "prepare",
    what: `${preparationSteps(update)} steps on demonstrations, ${models}`,
    tokensTrained: preparationSteps(update) * update.batch * lengthOf(base.flatMap(drawn)) * roles,
    tokensSampled: 0,
    lanes: roles,
  });
  const selection = ({ name, samplesPerItem = 0 }: Selector): Work[] =>
    samplesPerItem === 0
      ? []
      : [
          sampled(
            "select",
            `${name}: ${samplesPerItem} attempts at each item`,
            samplesPerItem * acquired * roundLength,
          ),
        ];
  const audit = (what: string, perStratum: number): Work[] =>
    gate.mode === "observe" ? [] : [answered("audit", what, 2 * splitTokens("audit", perStratum))];
  const validation = answered(
    "evaluate",
    `${evaluate.perStratum} validation items of each ${unit}`,
    splitTokens("validation", evaluate.perStratum),
  );
  const method = methodWork(definition, acquired, roundLength);
  return {
    preparation: [...(preparing === null ? [] : [preparation(preparing)]), validation],
    round: [
      ...select.flatMap(selection),
      { stage: "optimize", what: `${optimize.name}, ${models}`, ...method, lanes: roles },
      validation,
      answered("decide", `at most ${pairs} pairs of answers to decision items`, 2 * pairs * roundLength),
      ...audit("if promoted: new champion against old", evaluate.auditPerStratum),
    ],
    end: audit("champion against base", evaluate.finalAuditPerStratum),
  };
}

/** At most: every rollout is kept. */
export function examplesOf({ acquire }: RunDefinition, { items, generate }: Pass): ExampleCounts {
  const acquired = acquire.reduce((most, { mostItems }) => most + mostItems, 0);
  const newest = Math.min(items ?? acquired, acquired) * generate.samplesPerItem;
  return { newest, base: acquired };
}

function methodWork(definition: RunDefinition, acquired: number, length: number) {
  let [tokensSampled, tokensTrained] = [0, 0];
  for (const pass of definition.optimize.passes) {
    const { items = acquired, generate, roles, repeat, update } = pass;
    const rollouts = Math.min(items, acquired) * generate.samplesPerItem;
    tokensSampled += rollouts * length * roles.length * repeat;
    tokensTrained +=
      (update.batch ?? rollouts) *
      update.steps(examplesOf(definition, pass)) *
      length *
      roles.length *
      repeat;
  }
  return { tokensSampled, tokensTrained };
}

function meanLength(
  { task }: RunDefinition,
  tokenizer: Tokenizer,
  items: readonly Item[],
  random: RandomStream,
): number {
  const lengths = items.map(
    (item) =>
      contextTokens(tokenizer, item).length +
      responseTokens(tokenizer, item, task.demonstrate(item, random)).length,
  );
  return lengths.reduce((sum, length) => sum + length, 0) / Math.max(1, lengths.length);
}
