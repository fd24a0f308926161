import { describe, expect, test } from "vitest";
import type { Json } from "../../foundation/base/index.ts";
import type { Item, Problem, RolloutGroup, Task } from "../../foundation/contract/index.ts";
import { itemOf as placed, reverse } from "../../world/task/index.ts";
import { editEffect, type RewardContext } from "../reward/index.ts";
import { exampleOfRollout, type PassModels } from "../rollout/index.ts";
import {
  FakeModel,
  itemOf,
  letters,
  policyOf,
  rolloutOf,
  type Speak,
  samplingOf,
} from "../rollout/testing/fakes.ts";
import { supervised } from "../update/index.ts";

const strings = reverse({ lengths: [4, 6] });
const trainable = (count: number): string[] =>
  Array.from({ length: 400 }, (_, index) => String(1000 + 17 * index))
    .filter((digits) => placed(strings, problemOf(digits)).split === "train")
    .slice(0, count);
const problemOf = (digits: string): Problem => ({ prompt: `${digits}=`, answer: "", difficulty: 4 });
const backwards = (text: string): string => [...text].reverse().join("");

/** An edit is `digits=answer`, several with a comma between them. */
const task: Task = {
  ...strings,
  readEdit: (text) => {
    const read = text.split(",").map((one) => /^(\d+)=(\d+)$/.exec(one));
    if (read.some((one) => one === null)) return undefined;
    return read.map((one) => ({ prompt: `${one?.[1]}=`, response: one?.[2] ?? "" }));
  },
};
const [one = "", two = "", three = "", four = "", five = ""] = trainable(5);
const items = [one, two, three].map(
  (digits): Item => ({ ...itemOf(`${digits}=`), stratum: "length 4", difficulty: 4 }),
);
const groupOf = (item: Item, edits: readonly string[]): RolloutGroup => {
  const asked = { ...item, canonical: `edit:${item.canonical}` };
  return { item, rollouts: edits.map((text, sample) => ({ ...rolloutOf(asked, text), sample })) };
};

/** Weights answer right as often as they learnt right examples, and never more than at both questions. */
function worldOf(before: Speak) {
  const copies: FakeModel[] = [];
  const models: PassModels = {
    policyOf: (role) => samplingOf(before, role),
    reference: () => Promise.reject(new Error("nobody asks")),
    copy: async (role) => {
      const model: FakeModel = new FakeModel({
        speak: (prompt) =>
          learnt(model).every(([asked = "", said]) => said === backwards(asked))
            ? backwards(prompt.slice(0, -1))
            : "0",
      });
      copies.push(model);
      return { policy: policyOf(model, role), [Symbol.asyncDispose]: () => model[Symbol.asyncDispose]() };
    },
  };
  const context: RewardContext = {
    verify: async ({ prompt }, { text }) => ({
      outcome: "scored",
      score: text === backwards(prompt.slice(0, -1)) ? 1 : 0,
    }),
    task,
    models,
    seed: 5,
  };
  return { copies, context };
}
/** What a copy was trained on, as pairs of digits and answer. */
const learnt = ({ trained }: FakeModel): string[][] =>
  trained.flatMap(({ data }) => data.map(({ tokens }) => letters.decode(tokens).split("=")));

const part = editEffect({
  update: supervised({ steps: 2, batch: 4, optimizerState: "fresh", replay: { newest: 1 } }),
  questions: 2,
  attempts: 2,
});
const right = `${four}=${backwards(four)},${five}=${backwards(five)}`;
const wrong = `${four}=1`;
const groups = [
  groupOf(items[0] as Item, [wrong, right, "no edit"]),
  ...items.slice(1).map((item) => groupOf(item, [])),
];

describe("editEffect", () => {
  test("trains a copy on each edit, asks it what is held out, and keeps what helped, with its examples", async () => {
    const { copies, context } = worldOf(() => "0");
    const [scored] = await part.reward(groups, context);
    const [bad, good, none, ...taught] = scored?.rollouts ?? [];
    expect([bad?.reward, good?.reward, none?.reward]).toEqual([0, 1, 0]);
    expect(bad?.parts).toMatchObject({ valid: 1, before: 0, after: 0 });
    expect(good?.parts).toMatchObject({ valid: 1, before: 0, after: 1 });
    expect(none?.parts).toMatchObject({ valid: 0, "trial positions trained": 0 });
    // Each copy made its steps and was given back; what cannot be read trained none.
    expect(copies.map(({ steps, disposed }) => [steps.length, disposed])).toEqual([
      [2, true],
      [2, true],
    ]);
    expect(copies[1]?.samplers.every(({ disposed }) => disposed)).toBe(true);
    // Two other items, each twice: what the copy was asked.
    const asked = copies[1]?.samplers.flatMap(({ calls }) => calls.flat());
    expect(asked?.map(({ prompt, samples }) => [letters.decode(prompt), samples]).sort()).toEqual(
      [
        [`${two}=`, 2],
        [`${three}=`, 2],
      ].sort(),
    );
    expect(
      taught.map(({ rollout, reward }) => [exampleOfRollout(rollout).prompt, rollout.response.text, reward]),
    ).toEqual([
      [`${four}=`, backwards(four), 1],
      [`${five}=`, backwards(five), 1],
    ]);
    // Positions of two steps of four examples.
    expect(good?.parts["trial positions trained"]).toBe(2 * 4 * 10);
  });

  test("keeps nothing where no edit helps, and has no reward where nothing could be judged", async () => {
    const { context } = worldOf((prompt) => backwards(prompt.slice(0, -1)));
    const [scored] = await part.reward(groups, context);
    expect(scored?.rollouts.map(({ reward, parts }) => [reward, parts.before])).toEqual([
      [0, 1],
      [0, 1],
      [0, undefined],
    ]);
    const down = { ...context, verify: async () => ({ outcome: "void", reason: "down" }) as const };
    const [void_] = await part.reward(groups, down);
    expect(void_?.rollouts.map(({ reward }) => reward)).toEqual([null, null, null]);
  });

  test("keeps the best of an item's edits, or every one that helps", async () => {
    const twice = [groupOf(items[0] as Item, [right, `${five}=${backwards(five)}`]), ...groups.slice(1)];
    const { context } = worldOf(() => "0");
    const kept = async (keep: "best" | "improved") => {
      const [scored] = await editEffect({
        update: supervised({ steps: 1 }),
        questions: 2,
        keep,
        learn: false,
      }).reward(twice, context);
      return scored?.rollouts.map(({ reward }) => reward);
    };
    expect(await kept("best")).toEqual([1, 0]);
    expect(await kept("improved")).toEqual([1, 1]);
  });

  test("never teaches what another split holds, or what is asked", async () => {
    const held = Array.from({ length: 400 }, (_, index) => String(1000 + 17 * index)).find(
      (digits) => placed(strings, problemOf(digits)).split === "decision",
    );
    const mixed = `${held}=${backwards(held ?? "")},${two}=${backwards(two)},${four}=${backwards(four)}`;
    const { copies, context } = worldOf(() => "0");
    await part.reward([groupOf(items[0] as Item, [mixed]), ...groups.slice(1)], context);
    expect(new Set(copies.flatMap(learnt).map(([digits]) => digits))).toEqual(new Set([four]));
  });

  test("does each trial once over all attempts at the round", async () => {
    const stored = new Map<string, Json>();
    const first = worldOf(() => "0");
    const keep: RewardContext["keep"] = async (name, work) => {
      const known = stored.get(name) ?? (await work(first.context.models));
      stored.set(name, known);
      return known as Awaited<ReturnType<typeof work>>;
    };
    const told = await part.reward(groups, { ...first.context, keep });
    const second = worldOf(() => Promise.reject(new Error("asked again")) as never);
    const models = { ...second.context.models, policyOf: first.context.models.policyOf };
    const again = await part.reward(groups, { ...second.context, models, keep });
    expect(second.copies).toEqual([]);
    expect(again.map(({ rollouts }) => rollouts.map(({ reward, parts }) => [reward, parts]))).toEqual(
      told.map(({ rollouts }) => rollouts.map(({ reward, parts }) => [reward, parts])),
    );
    expect([...stored.keys()]).toEqual(["0/before", "0/0", "0/1", "0/2", "1/before", "2/before"]);
  });

  test("says what it needs and takes, and refuses a task that reads no edits", () => {
    expect(part).toMatchObject({
      origin: "external",
      answersPerRollout: 4,
      trainedPerRollout: 8,
      needs: { freshOptimizer: true },
    });
    expect(() => part.check?.(strings)).toThrow(expect.objectContaining({ code: "no-edits" }));
    expect(() => editEffect({} as never)).toThrow(/"update".*such as supervised/);
  });
});
