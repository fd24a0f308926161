import { describe, expect, test } from "vitest";
import type { ScoredGroup } from "../../foundation/contract/index.ts";
import { greedy } from "../generate/index.ts";
import { type Buffer, gro, type Method, type Pass } from "../method.ts";
import { verifier } from "../reward/index.ts";
import { exampleOfRollout } from "../rollout/index.ts";
import { itemOf } from "../rollout/testing/fakes.ts";
import { supervised, type UpdatePart } from "../update/index.ts";
import { checkBuffers, filled } from "./buffers.ts";
import { runMethod } from "./run-method.ts";
import { FakeLedger, FakePolicies, fakeRound } from "./testing/fake-round.ts";
import { reversed } from "./testing/methods.ts";

const imitate = supervised({ steps: 2, batch: 2, replay: { newest: 1 } });
const [whole] = gro({ generate: greedy(), reward: verifier(), update: imitate }).passes as [Pass];
/** Imitates, and keeps what it was given. */
const listening = (heard: (readonly ScoredGroup[])[]): UpdatePart => ({
  ...imitate,
  update: (request) => {
    heard.push(request.groups);
    return imitate.update(request);
  },
});
const methodOf = (buffer: Buffer, update: UpdatePart, rest: Partial<Pass> = {}): Method => ({
  ...gro({ generate: greedy(), reward: verifier(), update: imitate }),
  passes: [{ ...whole, update, buffer, ...rest }],
});
const itemsOf = (...prompts: readonly string[]) => prompts.map((prompt) => itemOf(`${prompt}=`));
const promptsIn = (groups: readonly ScoredGroup[] | undefined) => groups?.map(({ item }) => item.prompt);
/** Right but for 34. */
const speak = (prompt: string): string => (prompt === "34=" ? "0" : reversed(prompt));
const rounds = (heard: (readonly ScoredGroup[])[], buffer: Buffer, ledger = new FakeLedger()) => {
  const method = methodOf(buffer, listening(heard));
  const play = async (items: readonly string[], buffers: Readonly<Record<string, string>>) => {
    ledger.steps.clear();
    const policies = new FakePolicies(speak);
    const round = { ...fakeRound({ policies, ledger, items: itemsOf(...items) }), buffers };
    return { ...(await runMethod(method, round)), again: () => runMethod(method, round) };
  };
  return { play, ledger };
};

describe("a buffer", () => {
  test("gives earlier rounds' rollouts to learn from beside the newest, and holds no more than it may", async () => {
    const heard: (readonly ScoredGroup[])[] = [];
    const { play } = rounds(heard, { name: "all", most: 3 });
    const first = await play(["12", "34"], {});
    expect(promptsIn(heard[0])).toEqual(["12=", "34="]);
    const second = await play(["56", "78"], first.buffers);
    expect(promptsIn(heard[1])).toEqual(["56=", "78=", "12=", "34="]);
    const third = await play(["90"], second.buffers);
    expect(promptsIn(heard[2])).toEqual(["90=", "56=", "78=", "12="]);
    expect(Object.keys(third.buffers)).toEqual(["all"]);
    // Only what was written in this round is counted as written.
    expect(third.tally.rollouts).toBe(1);
  });

  test("may hold what was rewarded alone; what is new is learnt from all the same", async () => {
    const heard: (readonly ScoredGroup[])[] = [];
    const { play } = rounds(heard, { name: "right", most: 9, kept: true });
    const first = await play(["12", "34"], {});
    expect(promptsIn(heard[0])).toEqual(["12=", "34="]);
    await play(["56"], first.buffers);
    expect(promptsIn(heard[1])).toEqual(["56=", "12="]);
  });

  test("remembers where each rollout was stored, so that what is learnt again is traced to the weights that wrote it", async () => {
    const heard: (readonly ScoredGroup[])[] = [];
    const { play, ledger } = rounds(heard, { name: "all", most: 9 });
    const { buffers } = await play(["12", "34"], {});
    await play(["56"], buffers);
    const [fresh, held] = heard[1] ?? [];
    const [written] = held?.rollouts ?? [];
    const stored = [...ledger.artifacts.entries()].find(([, groups]) => groups[0]?.item.prompt === "12=");
    const place = { group: 0, rollout: 0, artifact: null };
    expect(written && exampleOfRollout(written.rollout, place).writer?.artifact).toBe(stored?.[0]);
    const [now] = fresh?.rollouts ?? [];
    expect(now && exampleOfRollout(now.rollout, place).writer?.artifact).toBeNull();
  });

  test("is the same after an interruption between rolling out and learning", async () => {
    const heard: (readonly ScoredGroup[])[] = [];
    const { play, ledger } = rounds(heard, { name: "all", most: 3 });
    const { buffers } = await play(["12", "34"], {});
    const whole = await play(["56", "78"], buffers);
    for (const step of [...ledger.steps.keys()]) if (step.includes("/update/")) ledger.steps.delete(step);
    const again = await whole.again();
    expect(heard).toHaveLength(3);
    expect(promptsIn(heard[2])).toEqual(promptsIn(heard[1]));
    expect(again.buffers).toEqual(whole.buffers);
  });

  test("stays as it was where a guard let nothing be learnt", async () => {
    const policies = new FakePolicies(speak);
    const method = methodOf({ name: "all", most: 9 }, imitate);
    const context = { ...fakeRound({ policies }), buffers: {}, whyBlocked: () => "stale" };
    expect((await runMethod(method, context)).buffers).toEqual({});
  });

  test("is refused in a pass that repeats", () => {
    const buffer = { name: "all", most: 9 };
    expect(() => checkBuffers(methodOf(buffer, imitate))).not.toThrow();
    expect(() => checkBuffers(methodOf(buffer, imitate, { repeat: 2 }))).toThrow(
      expect.objectContaining({ code: "invalid-option", message: expect.stringContaining("no buffer") }),
    );
  });
});

test("an item of which nothing is kept takes no place", () => {
  const item = itemOf("12=");
  expect(filled({ name: "all", most: 1 }, [{ item, rollouts: [] }], "a", [])).toEqual([]);
});
