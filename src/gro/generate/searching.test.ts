import { describe, expect, test } from "vitest";
import type { Item, Task } from "../../foundation/contract/index.ts";
import { reverse } from "../../world/task/index.ts";
import { sourceOf } from "../rollout/index.ts";
import { chatty, itemOf, letters, noModels, type Speak, samplingOf } from "../rollout/testing/fakes.ts";
import { askDocuments, withSearch } from "./index.ts";

const documents = ["alpha 1234", "beta 5678", "gamma 9999"];
const task: Task = {
  ...reverse(),
  readProblem: (text, difficulty) => ({ prompt: `${text}=`, difficulty }),
  readQuery: (text) => /^[?](.+)$/.exec(text)?.[1],
  prompts: {
    ask: (document, difficulty) => ({ prompt: `${difficulty}<${document.replaceAll("\n\n", "|")}>` }),
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

describe("askDocuments", () => {
  test("says where a question comes from, and needs no words to answer with a document in view", async () => {
    const { request, heard } = requestOf(() => "77");
    const part = askDocuments({ samples: 2, documents });
    const groups = await part.generate(request);
    for (const [place, prompt] of heard().entries()) {
      const shown = documents.find((text) => prompt.includes(text)) ?? "";
      expect(prompt).toBe(`3<${shown}>`);
      for (const { item } of groups[place]?.rollouts ?? [])
        expect(item.source).toBe(sourceOf({ text: shown, where: "" }));
    }
    expect(() => part.check?.(task)).not.toThrow();
    expect(part.description).not.toHaveProperty("searches");
  });

  test("may search for further documents first, a turn each", async () => {
    const { request, heard } = requestOf((prompt) => (prompt.includes("|") ? "77" : "?gamma"));
    const part = askDocuments({ samples: 1, searches: 2, found: 1, documents });
    const [group] = await part.generate({ ...request, items: [itemOf("12=")] });
    expect(heard()[1]).toMatch(/^3<.+[|]gamma 9999>$/);
    expect(group?.rollouts.map(({ turn = 0, response }) => [turn, response.text])).toEqual([
      [0, "?gamma"],
      [1, "77"],
    ]);
    // The one it asks about stands in the item's source.
    expect(group?.rollouts.map(({ found }) => found)).toEqual([
      undefined,
      [sourceOf({ text: "gamma 9999", where: "" })],
    ]);
    expect(part).toMatchObject({ samplesPerItem: 3, description: { searches: 2, found: 1 } });
  });

  test("tells a chat model how to search, where it may", async () => {
    const { request, heard } = requestOf(() => "77");
    const asking = { ...request, policy: { ...request.policy, tokenizer: chatty } };
    const { prompts: _, ...wordless } = task;
    await askDocuments({ documents, samples: 1 }).generate({ ...asking, task: wordless });
    expect(heard()[0]).not.toContain("SEARCH:");
    await askDocuments({ documents, samples: 1, searches: 1 }).generate({ ...asking, task: wordless });
    expect(heard()[2]).toContain("SEARCH:");
  });
});

describe("withSearch", () => {
  const speak: Speak = (prompt, sample) => {
    if (prompt.endsWith("[]")) return sample === 0 ? "21" : "?alpha";
    return prompt.includes("1234") && !prompt.includes("5678") ? "?beta" : "done";
  };

  test("asks again with what was found, for each attempt that searches; only the last turn answers", async () => {
    const { request, heard } = requestOf(speak, [itemOf("12=")]);
    const [group] = await withSearch({ samples: 2, searches: 3, found: 1, documents }).generate(request);
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
    const [alpha = "", beta = ""] = documents.map((text) => sourceOf({ text, where: "" }));
    expect(group?.rollouts.map(({ found = [] }) => found)).toEqual([[], [], [alpha], [alpha, beta]]);
    // What was found is read, not written: it stands in the context alone.
    const last = group?.rollouts.at(-1)?.segments;
    expect(letters.decode(last?.[0]?.tokens ?? new Int32Array())).toBe("12=[alpha 1234|beta 5678]");
    expect(letters.decode(last?.[1]?.tokens ?? new Int32Array())).toBe("done");
  });

  test("answers with whatever it says once it may search no more", async () => {
    const { request } = requestOf(() => "?alpha", [itemOf("12=")]);
    const [group] = await withSearch({ samples: 1, searches: 1, documents }).generate(request);
    expect(group?.rollouts.map(({ item, response }) => [item === group.item, response.text])).toEqual([
      [false, "?alpha"],
      [true, "?alpha"],
    ]);
  });

  test("a query that was cut off is an answer, not a search", async () => {
    const { request, heard } = requestOf(() => ({ text: "?al", cut: true }), [itemOf("12=")]);
    await withSearch({ samples: 1, documents }).generate(request);
    expect(heard()).toHaveLength(1);
  });

  test("tells a chat model how to search, and reads its line", async () => {
    const { request, heard } = requestOf((prompt) => (prompt.includes("found") ? "21" : "SEARCH: alpha"));
    const policy = { ...request.policy, tokenizer: chatty };
    const { prompts: _, readQuery: __, ...wordless } = task;
    const [group] = await withSearch({ samples: 1, documents }).generate({
      ...request,
      policy,
      task: wordless,
    });
    expect(heard()[0]).toMatch(/12=.*SEARCH:/s);
    expect(heard()[2]).toContain("alpha 1234");
    expect(group?.rollouts.at(-1)?.response.text).toBe("21");
  });

  test("refuses a task with words for its roles and none for a search, and one without documents", () => {
    const none = { ...task, prompts: {} };
    expect(() => withSearch({ documents }).check?.(none)).toThrow(
      expect.objectContaining({ code: "no-words" }),
    );
    expect(() => withSearch().check?.(task)).toThrow(expect.objectContaining({ code: "no-documents" }));
  });
});
