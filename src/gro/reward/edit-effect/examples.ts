import type {
  EditedExample,
  Item,
  Policy,
  Problem,
  Rollout,
  ScoredRollout,
  Task,
} from "../../../foundation/contract/index.ts";
import { itemOf } from "../../../world/task/index.ts";
import { contextTokens, type PassModels, responseTokens, roleItem } from "../../rollout/index.ts";

/** What an edit teaches: nothing where it cannot be read, and none of the items that another split than training holds. */
export function examplesIn(task: Task, { response, item }: Rollout): readonly EditedExample[] {
  const read = (response.complete ? task.readEdit?.(response.text, item.difficulty) : undefined) ?? [];
  return read.filter((example) => {
    const split = splitOf(task, { ...example, difficulty: item.difficulty });
    return split === undefined || split === "train" || split === "none";
  });
}

/** Undefined for what is no item of the task. */
function splitOf(task: Task, problem: Problem): Item["split"] | undefined {
  try {
    return itemOf(task, problem).split;
  } catch {
    return undefined;
  }
}

/** An example of an edit as an answer that the edit's writer gave, with no chance of its own: it was read out of a text. */
export function asRollout(
  edit: Rollout,
  { response, ...asked }: EditedExample,
  index: number,
  policy: Pick<Policy, "tokenizer">,
): Rollout {
  const { tokenizer } = policy;
  const item = roleItem(edit.item, `edit ${edit.sample} ${index}`, asked);
  const tokens = responseTokens(tokenizer, item, response);
  return {
    ...edit,
    item,
    segments: [
      { kind: "context", tokens: contextTokens(tokenizer, item) },
      { kind: "sampled", tokens, logprobs: new Float32Array(tokens.length).fill(Number.NaN) },
    ],
    response: { text: response, complete: true },
  };
}

/** What the writer's weights give to the examples that are learnt, as all that is learnt says of itself. */
export async function withLogprobs(
  taught: readonly Rollout[],
  models: PassModels,
  signal: AbortSignal | undefined,
): Promise<ScoredRollout[]> {
  const [first] = taught;
  if (first === undefined) return [];
  const wholes = taught.map(({ segments }) => Int32Array.from(segments.flatMap(({ tokens }) => [...tokens])));
  const logprobs = await models.policyOf(first.role).sampler.logprobs(wholes, signal ? { signal } : {});
  return taught.map((rollout, index): ScoredRollout => {
    const [context, said] = rollout.segments;
    const tokens = said?.tokens ?? new Int32Array();
    const own = (logprobs[index] ?? new Float32Array()).slice(context?.tokens.length);
    return {
      rollout: {
        ...rollout,
        segments: [
          { kind: "context", tokens: context?.tokens ?? new Int32Array() },
          { kind: "sampled", tokens, logprobs: own },
        ],
      },
      reward: 1,
      parts: {},
    };
  });
}
