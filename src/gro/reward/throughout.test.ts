import { expect, test } from "vitest";
import type { Rollout, Task } from "../../foundation/contract/index.ts";
import { reverse } from "../../world/task/index.ts";
import { itemOf, noModels, rolloutOf } from "../rollout/testing/fakes.ts";
import { throughout, verifier } from "./index.ts";

const item = itemOf("12=");
const turn = (text: string, sample: number, at: number, answers: boolean): Rollout => ({
  ...rolloutOf(answers ? item : { ...item, canonical: `search:${item.canonical}` }, text),
  sample,
  ...(at === 0 ? {} : { turn: at }),
});

test("every turn is worth what its last one is; what could not be judged is void throughout", async () => {
  const asked: string[] = [];
  const task: Task = reverse();
  const group = {
    item,
    rollouts: [
      turn("?a", 0, 0, false),
      turn("?b", 0, 1, false),
      turn("21", 0, 2, true),
      turn("9", 1, 0, true),
      turn("?c", 2, 0, false),
      turn("void", 2, 1, true),
    ],
  };
  const [scored] = await throughout({ of: verifier() }).reward([group], {
    verify: async (_, { text }) => {
      asked.push(text);
      return text === "void"
        ? { outcome: "void", reason: "down" }
        : { outcome: "scored", score: text === "21" ? 1 : 0 };
    },
    task,
    models: noModels,
    seed: 1,
  });
  expect(scored?.rollouts.map(({ rollout, reward }) => [rollout.response.text, reward])).toEqual([
    ["?a", 1],
    ["?b", 1],
    ["21", 1],
    ["9", 0],
    ["?c", null],
    ["void", null],
  ]);
  const earlier = scored?.rollouts.map(({ parts }) => parts["earlier turn"]);
  expect(earlier).toEqual([1, 1, undefined, undefined, 1, undefined]);
  expect(asked).toEqual(["21", "9", "void"]);
  expect(throughout({ of: verifier() })).toMatchObject({ origin: "external", name: "verifier throughout" });
});
