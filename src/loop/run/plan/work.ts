import { type RandomStream, randomStream } from "../../../foundation/base/index.ts";
import type { Item, RefusalProbes, Selector, Tokenizer } from "../../../foundation/contract/index.ts";
import { oneOf } from "../../../foundation/statistics/index.ts";
import { turnsOf, updateOf } from "../../../gro/method/index.ts";
import type { Method, Pass } from "../../../gro/method.ts";
import { answersAsked } from "../../../gro/reward/part.ts";
import { contextTokens, responseTokens } from "../../../gro/rollout/index.ts";
import type { ExampleCounts, SupervisedUpdate } from "../../../gro/update/index.ts";
import { attemptsAnItem, evaluationItems, itemsToAttempt } from "../../../lifecycle/evaluate/index.ts";
import { drawItems } from "../../../world/task/index.ts";
import type { RunDefinition } from "../../round/definition.ts";
import { preparationOf, preparationSteps } from "../../round/preparation.ts";
import { baselinesWork } from "./baselines-work.ts";
import type { Work } from "./stage-work.ts";

export type { Work } from "./stage-work.ts";

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
  const { task, optimize, refine, evaluate, select, gate, budget } = definition;
  const { base, growTo, unit } = task.difficulty;
  const random = randomStream(definition.seed, "plan");
  const lengthOf = (items: readonly Item[]): number => meanLength(definition, tokenizer, items, random);
  const drawn = (difficulty: number): Item[] =>
    drawItems({ task, difficulty, split: "train", count: itemsMeasured, random, distinct: false });
  const roundLength = lengthOf(drawn(growTo));
  const preparing = preparationOf(definition, fromScratch);
  const roles = optimize.roles.length;
  const models = roles === 1 ? "one model" : `${roles} models at once`;
  const acquired = acquiredItems(definition);
  const sampled = (stage: Work["stage"], what: string, tokensSampled: number): Work => ({
    stage,
    what,
    tokensSampled,
    tokensTrained: 0,
    lanes: Number.POSITIVE_INFINITY,
  });
  const answered = (stage: Work["stage"], what: string, tokens: number): Work =>
    sampled(stage, what, tokens * refine.samplesPerItem);
  const itemsIn = (split: "validation" | "audit", perStratum: number): Item[] =>
    evaluationItems({ task, split, perStratum, random });
  const tokensOf = (items: readonly Item[]): number =>
    items.length * lengthOf(random.shuffle(items).slice(0, itemsMeasured));
  const preparation = (update: SupervisedUpdate): Work => ({
    stage: "prepare",
    what: `${preparationSteps(update)} steps on demonstrations, ${models}`,
    tokensTrained:
      preparationSteps(update) *
      update.batch *
      lengthOf(base.flatMap(drawn)) *
      (optimize.alike === true ? 1 : roles),
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
    gate.mode === "observe" ? [] : [answered("audit", what, 2 * tokensOf(itemsIn("audit", perStratum)))];
  const validated = itemsIn("validation", evaluate.perStratum);
  const validation = answered("evaluate", validationWords(validated, unit), tokensOf(validated));
  const attempted = itemsToAttempt(task, validated, evaluate.attemptItems);
  /** Once by the candidate, whose answers the base reads again; in the first round by the base and the candidate. */
  const attempts = sampled(
    "evaluate",
    `${attemptsAnItem} attempts at ${attempted.length} of them, for meters and guards`,
    2 * attemptsAnItem * tokensOf(attempted),
  );
  const refused = ({ items, maxTokens }: RefusalProbes): Work =>
    answered("evaluate", `${items.length} prompts that are to be refused`, items.length * maxTokens);
  const turns = turnsOf(optimize, Math.max(1, budget.rounds));
  const optimizing = turns.map(
    ({ method, rounds }): Work => ({
      stage: "optimize",
      what: `${method.name}, ${models}`,
      ...methodWork(definition, method, roundLength),
      ...(turns.length === 1 ? {} : { rounds }),
      lanes: roles,
    }),
  );
  return {
    preparation: [...(preparing === null ? [] : [preparation(preparing)]), validation],
    round: [
      ...select.flatMap(selection),
      ...optimizing,
      validation,
      ...(attempted.length === 0 ? [] : [attempts]),
      ...(definition.refusals === undefined ? [] : [refused(definition.refusals)]),
      answered("decide", `at most ${pairs} pairs of answers to decision items`, 2 * pairs * roundLength),
      ...audit("if promoted: new champion against old", evaluate.auditPerStratum),
    ],
    end: [
      ...baselinesWork({
        definition,
        optimizing,
        answers: tokensOf(validated),
        validation: validation.tokensSampled,
        external: preparing !== null || demonstrated(definition) > 0,
      }),
      ...audit("champion against base", evaluate.finalAuditPerStratum),
    ],
  };
}

/** `12 validation items of each kind`, or how many at least and at most where a file has fewer of some. */
function validationWords(items: readonly Item[], unit: string): string {
  const counts = [...Map.groupBy(items, ({ stratum }) => stratum).values()].map(({ length }) => length);
  const [least, most] = [Math.min(...counts), Math.max(...counts)];
  if (counts.length < 2) return `${items.length} validation items`;
  const each = least === most ? `${most}` : `${least} to ${most}`;
  return `${each} validation items of each ${oneOf(unit)}, ${items.length} in all`;
}

function acquiredItems({ acquire }: RunDefinition): number {
  return acquire.reduce((most, { mostItems }) => most + mostItems, 0);
}

/** Demonstrations of a round at most: of a file each training row comes once. */
function demonstrated({ acquire, task }: RunDefinition): number {
  const [low, high] = task.difficulty.base;
  const there = task.strata
    .filter(({ difficulty }) => difficulty >= low && difficulty <= high)
    .reduce((sum, { splits }) => sum + (splits?.train ?? Number.POSITIVE_INFINITY), 0);
  return acquire.reduce((sum, { mostDemonstrations = 0 }) => sum + Math.min(mostDemonstrations, there), 0);
}

/** At most: every rollout is kept. */
export function examplesOf(definition: RunDefinition, { items, generate }: Pass): ExampleCounts {
  const acquired = acquiredItems(definition);
  const newest = Math.min(items ?? acquired, acquired) * generate.samplesPerItem;
  return { newest, base: demonstrated(definition) };
}

function methodWork(definition: RunDefinition, { passes, repeat: turns = 1 }: Method, length: number) {
  const acquired = acquiredItems(definition);
  let [tokensSampled, tokensTrained] = [0, 0];
  for (const pass of passes) {
    const { items = acquired, generate, reward, roles, writers = roles } = pass;
    const repeat = turns * pass.repeat;
    const rollouts = Math.min(items, acquired) * generate.samplesPerItem;
    const asked = answersAsked(reward, generate.samplesPerItem * writers.length);
    tokensSampled += rollouts * (1 + asked) * length * writers.length * repeat;
    tokensTrained += rollouts * (reward.trainedPerRollout ?? 0) * length * repeat;
    for (const role of roles) {
      const update = updateOf(pass, role);
      const { batch = rollouts / (update.minibatches ?? 1) } = update;
      tokensTrained += batch * update.steps(examplesOf(definition, pass)) * length * repeat;
    }
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
