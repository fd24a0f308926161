import { describe, expect, test } from "vitest";
import type { SamplingPolicy, Task } from "../../foundation/contract/index.ts";
import { reverse } from "../../world/task/index.ts";
import type { PassModels } from "../rollout/index.ts";
import { itemOf, letters, noModels, type Speak, samplingOf } from "../rollout/testing/fakes.ts";
import { debate, propose } from "./index.ts";

const task: Task = {
  ...reverse(),
  readProblem: (text, difficulty) => ({ prompt: `${text}=`, difficulty }),
  prompts: {
    debate: ({ prompt }, others) => ({ prompt: `${prompt}[${others.map(({ text }) => text).join("|")}]` }),
    propose: (known, difficulty) => ({
      prompt: `${difficulty}:${known.map(({ prompt }) => prompt).join("")}`,
    }),
  },
};
const items = [itemOf("12="), itemOf("34=")];
const request = { task, earlier: async () => [], items, maxTokens: () => 8, seed: 3 };

describe("debate", () => {
  const play = async (voices: Readonly<Record<string, Speak>>, rounds: number) => {
    const policies = new Map(Object.entries(voices).map(([role, speak]) => [role, samplingOf(speak, role)]));
    const models: PassModels = { ...noModels, policyOf: (role) => policies.get(role) as SamplingPolicy };
    const agents = Object.keys(voices);
    const part = debate({ agents, rounds });
    const groups = await part.generate({ ...request, models, policy: models.policyOf(agents[0] ?? "") });
    const heard = (role: string) =>
      policies.get(role)?.sampler.calls.map((calls) => calls.map(({ prompt }) => letters.decode(prompt)));
    return { groups, heard, part };
  };

  test("each speaks apart, and then in view of what the others said last", async () => {
    const echo =
      (own: string): Speak =>
      (prompt) =>
        own + prompt.length;
    const { groups, heard, part } = await play({ solver: echo("s"), peer: echo("p") }, 2);
    expect(heard("solver")).toEqual([
      ["12=", "34="],
      ["12=[p3]", "34=[p3]"],
      ["12=[p7]", "34=[p7]"],
    ]);
    expect(heard("peer")?.[1]).toEqual(["12=[s3]", "34=[s3]"]);
    expect(
      groups[1]?.rollouts.map(({ role, turn = 0, sample, response }) => [role, turn, sample, response.text]),
    ).toEqual([
      ["solver", 0, 0, "s3"],
      ["peer", 0, 1, "p3"],
      ["solver", 1, 2, "s7"],
      ["peer", 1, 3, "p7"],
      ["solver", 2, 4, "s7"],
      ["peer", 2, 5, "p7"],
    ]);
    // Each is a response to the item itself, whatever it was shown.
    for (const { item, rollouts } of groups) for (const rollout of rollouts) expect(rollout.item).toBe(item);
    expect(part.samplesPerItem).toBe(6);
  });

  test("however much was said, each answers within the limit of the item", async () => {
    const policy = samplingOf(() => "1");
    const models: PassModels = { ...noModels, policyOf: () => policy };
    await debate().generate({ ...request, maxTokens: ({ prompt }) => prompt.length, models, policy });
    const limits = policy.sampler.calls.flat().map(({ parameters }) => parameters?.maxTokens);
    expect(limits).toHaveLength(12);
    expect(new Set(limits)).toEqual(new Set([3]));
  });

  test("one model speaks with several voices", async () => {
    const policy = samplingOf((_, __, { seed }) => String(seed % 97));
    const models: PassModels = { ...noModels, policyOf: () => policy };
    const [group] = await debate().generate({ ...request, models, policy });
    expect(new Set(group?.rollouts.slice(0, 3).map(({ response }) => response.text)).size).toBe(3);
  });

  test("refuses a task with words for other roles alone", () => {
    expect(() => debate().check?.({ ...task, prompts: {} })).toThrow(
      expect.objectContaining({ code: "no-debate" }),
    );
    expect(() => debate({ agents: ["solver"] })).toThrow(/"agents"/);
  });
});

describe("propose", () => {
  test("shows known items, each first once, and is no answer to any of them", async () => {
    const policy = samplingOf(() => "56");
    const groups = await propose({ samples: 2, shown: 2 }).generate({ ...request, models: noModels, policy });
    expect(policy.sampler.calls.flat().map(({ prompt }) => letters.decode(prompt))).toEqual([
      "3:12=34=",
      "3:34=12=",
    ]);
    expect(groups.map(({ item }) => item)).toEqual(items);
    for (const { item, rollouts } of groups) {
      expect(rollouts).toHaveLength(2);
      for (const rollout of rollouts) {
        expect(rollout.item.canonical).toBe(`propose:${item.canonical}`);
        expect(rollout.item.answer).toBeUndefined();
      }
    }
  });

  test("refuses a task that reads no problems", () => {
    const { readProblem: _, ...silent } = task;
    expect(() => propose().check?.(silent)).toThrow(expect.objectContaining({ code: "no-proposals" }));
  });
});
