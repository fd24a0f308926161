import { describe, expect, test } from "vitest";
import type { Item, Task } from "../../foundation/contract/index.ts";
import { reverse } from "../../world/task/index.ts";
import { chatty, itemOf, letters, noModels, type Speak, samplingOf } from "../rollout/testing/fakes.ts";
import { proposeFrom, withSearch } from "./index.ts";

const documents = ["alpha 1234", "beta 5678", "gamma 9999"];
const task: Task = {
  ...reverse(),
  documents,
  readProblem: (text, difficulty) => ({ prompt: `${text}=`, difficulty }),
  readQuery: (text) => /^[?](.+)$/.exec(text)?.[1],
  prompts: {
    proposeFrom: (shown, difficulty) => ({ prompt: `${difficulty}<${shown.join("|")}>` }),
    search: ({ prompt }, found) => ({ prompt: `${prompt}[${found.join("|")}]` }),
  },
};
const items = [itemOf("12="), itemOf("34=")];
const requestOf = (speak: Speak, asked: readonly Item[] = items) => {
  const policy = samplingOf(speak);
  const request = { policy, models: noModels, task, earlier: async () => [], items: asked, seed: 3 };
  const heard = () => policy.sampler.calls.flat().map(({ prompt }) => letters.decode(prompt));
  return { request: { ...request, maxTokens: () => 8 }, heard };
};

describe("proposeFrom", () => {
  test("shows one document an item, drawn by the seed, and says where the proposal comes from", async () => {
    const { request, heard } = requestOf(() => "77");
    const part = proposeFrom({ samples: 2 });
    const groups = await part.generate(request);
    for (const [place, prompt] of heard().entries()) {
      expect(prompt).toMatch(/^3<(alpha 1234|beta 5678|gamma 9999)>$/);
      const shown = documents.findIndex((text) => prompt.includes(text));
      const [first] = groups[place]?.rollouts ?? [];
      expect(first?.item.source).toBe(`document ${shown + 1}`);
    }
    expect(groups.map(({ rollouts }) => rollouts.map(({ sample }) => sample))).toEqual([
      [0, 1],
      [0, 1],
    ]);
    // A proposal is no answer to the item beside which it was made.
    for (const { item, rollouts } of groups)
      for (const rollout of rollouts) expect(rollout.item.canonical).not.toBe(item.canonical);
    const again = requestOf(() => "77");
    await part.generate(again.request);
    expect(again.heard()).toEqual(heard());
    const drawn = new Set<string>();
    for (let seed = 0; seed < 20; seed++) {
      const other = requestOf(() => "77");
      await part.generate({ ...other.request, seed });
      for (const prompt of other.heard()) drawn.add(prompt);
    }
    expect(drawn.size).toBe(3);
  });

  test("may search for further documents first, a turn each", async () => {
    const { request, heard } = requestOf((prompt) => (prompt.includes("|") ? "77" : "?gamma"));
    const [group] = await proposeFrom({ samples: 1, searches: 2 }).generate({
      ...request,
      items: [itemOf("12=")],
    });
    expect(heard()[1]).toMatch(/^3<.+[|]gamma 9999>$/);
    expect(group?.rollouts.map(({ turn = 0, response }) => [turn, response.text])).toEqual([
      [0, "?gamma"],
      [1, "77"],
    ]);
  });

  test("refuses a task that has no documents, or that reads no problems", () => {
    const { documents: _, ...none } = task;
    expect(() => proposeFrom().check?.(none)).toThrow(expect.objectContaining({ code: "no-documents" }));
    const { readProblem: __, ...unread } = task;
    expect(() => proposeFrom().check?.(unread)).toThrow(expect.objectContaining({ code: "no-proposals" }));
    expect(() => proposeFrom({ documents: [] })).toThrow(/"documents"/);
  });

  test("asks a chat model in plain words, with an item as the example of the form", async () => {
    const { request, heard } = requestOf(() => "77");
    const policy = { ...request.policy, tokenizer: chatty };
    const { prompts: _, ...wordless } = task;
    await proposeFrom({ samples: 1, documents: ["alpha 1234"] }).generate({
      ...request,
      policy,
      task: wordless,
    });
    expect(heard()[0]).toMatch(/Read this:\n\nalpha 1234.*12=.*sees the problem alone/s);
  });
});

describe("withSearch", () => {
  const speak: Speak = (prompt, sample) => {
    if (prompt.endsWith("[]")) return sample === 0 ? "21" : "?alpha";
    return prompt.includes("1234") && !prompt.includes("5678") ? "?beta" : "done";
  };

  test("asks again with what was found, for each attempt that searches; only the last turn answers", async () => {
    const { request, heard } = requestOf(speak, [itemOf("12=")]);
    const [group] = await withSearch({ samples: 2, searches: 3, found: 1 }).generate(request);
    expect(heard()).toEqual(["12=[]", "12=[alpha 1234]", "12=[alpha 1234|beta 5678]"]);
    const said = group?.rollouts.map(({ item, sample, turn = 0, response }) => [
      item === group.item,
      sample,
      turn,
      response.text,
    ]);
    expect(said).toEqual([
      [true, 0, 0, "21"],
      [false, 1, 0, "?alpha"],
      [false, 1, 1, "?beta"],
      [true, 1, 2, "done"],
    ]);
    // What was found is read, not written: it stands in the context alone.
    const last = group?.rollouts.at(-1)?.segments;
    expect(letters.decode(last?.[0]?.tokens ?? new Int32Array())).toBe("12=[alpha 1234|beta 5678]");
    expect(letters.decode(last?.[1]?.tokens ?? new Int32Array())).toBe("done");
  });

  test("answers with whatever it says once it may search no more", async () => {
    const { request } = requestOf(() => "?alpha", [itemOf("12=")]);
    const [group] = await withSearch({ samples: 1, searches: 1 }).generate(request);
    expect(group?.rollouts.map(({ item, response }) => [item === group.item, response.text])).toEqual([
      [false, "?alpha"],
      [true, "?alpha"],
    ]);
  });

  test("a query that was cut off is an answer, not a search", async () => {
    const { request, heard } = requestOf(() => ({ text: "?al", cut: true }), [itemOf("12=")]);
    await withSearch({ samples: 1 }).generate(request);
    expect(heard()).toHaveLength(1);
  });

  test("tells a chat model how to search, and reads its line", async () => {
    const { request, heard } = requestOf((prompt) => (prompt.includes("found") ? "21" : "SEARCH: alpha"));
    const policy = { ...request.policy, tokenizer: chatty };
    const { prompts: _, readQuery: __, ...wordless } = task;
    const [group] = await withSearch({ samples: 1 }).generate({ ...request, policy, task: wordless });
    expect(heard()[0]).toMatch(/12=.*SEARCH:/s);
    expect(heard()[2]).toContain("alpha 1234");
    expect(group?.rollouts.at(-1)?.response.text).toBe("21");
  });

  test("refuses a task with words for its roles and none for a search, and one without documents", () => {
    const none = { ...task, prompts: {} };
    expect(() => withSearch().check?.(none)).toThrow(expect.objectContaining({ code: "no-words" }));
    const { documents: _, ...bare } = task;
    expect(() => withSearch().check?.(bare)).toThrow(expect.objectContaining({ code: "no-documents" }));
  });
});
