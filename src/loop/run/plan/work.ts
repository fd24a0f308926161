import { type RandomStream, randomStream } from "../../../foundation/base/index.ts";
import type { Item, Tokenizer } from "../../../foundation/contract/index.ts";
import { evaluationItems } from "../../../lifecycle/evaluate/index.ts";
import { drawItems } from "../../../world/task/index.ts";
import type { RunDefinition } from "../../round/definition.ts";
import { preparationOf } from "../../round/preparation.ts";

/** A stage's work in tokens: what the model reads and writes, prompts included. */
export interface Work {
  readonly stage: "prepare" | "optimize" | "evaluate" | "decide" | "audit";
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

const everyLane = Number.POSITIVE_INFINITY;
const itemsMeasured = 64;

/** Counts the tokens of every stage on items like those that it will see. */
export function countWork({ definition, tokenizer, fromScratch, pairs }: WorkRequest): RunWork {
  const { task, optimize, refine, evaluate, acquire } = definition;
  const random = randomStream(definition.seed, "plan");
  const lengthOf = (items: readonly Item[]): number => meanLength(definition, tokenizer, items, random);
  const drawn = (difficulty: number): Item[] =>
    drawItems({ task, difficulty, split: "train", count: itemsMeasured, random, distinct: false });
  const roundLength = lengthOf(drawn(task.difficulty.growTo));
  const roles = optimize.roles.length;
  const sampled = (stage: Work["stage"], what: string, tokensSampled: number): Work => ({
    stage,
    what,
    tokensSampled: tokensSampled * refine.samplesPerItem,
    tokensTrained: 0,
    lanes: everyLane,
  });
  const answering = (split: "validation" | "audit", perStratum: number): number => {
    const items = evaluationItems({ task, split, perStratum, random });
    return items.length * lengthOf(random.shuffle(items).slice(0, itemsMeasured));
  };
  const preparing = preparationOf(definition, fromScratch);
  const models = roles === 1 ? "one model" : `${roles} models at once`;
  const acquired = acquire.reduce((most, { mostItems }) => most + mostItems, 0);
  return {
    preparation:
      preparing === null
        ? []
        : [
            {
              stage: "prepare",
              what: `${preparing.steps} steps on demonstrations, ${models}`,
              tokensTrained:
                preparing.steps * preparing.batch * lengthOf(task.difficulty.base.flatMap(drawn)) * roles,
              tokensSampled: 0,
              lanes: roles,
            },
          ],
    round: [
      {
        stage: "optimize",
        what: `${optimize.name}, ${models}`,
        ...methodWork(definition, acquired, roundLength),
        lanes: roles,
      },
      sampled(
        "evaluate",
        `${evaluate.perStratum} validation items of each ${task.difficulty.unit}`,
        answering("validation", evaluate.perStratum),
      ),
      sampled("decide", `at most ${pairs} pairs of answers to decision items`, 2 * pairs * roundLength),
      sampled(
        "audit",
        "if promoted: new champion against old",
        2 * answering("audit", evaluate.auditPerStratum),
      ),
    ],
    end: [sampled("audit", "champion against base", 2 * answering("audit", evaluate.finalAuditPerStratum))],
  };
}

function methodWork({ optimize }: RunDefinition, acquired: number, length: number) {
  let [tokensSampled, tokensTrained] = [0, 0];
  for (const { items = acquired, generate, roles, repeat, update } of optimize.passes) {
    const rollouts = items * generate.samplesPerItem;
    tokensSampled += rollouts * length * roles.length * repeat;
    tokensTrained += (update.batch ?? rollouts) * update.steps * length * roles.length * repeat;
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
      tokenizer.encode(item.prompt).length + tokenizer.encode(task.demonstrate(item, random)).length + 2,
  );
  return lengths.reduce((sum, length) => sum + length, 0) / Math.max(1, lengths.length);
}
