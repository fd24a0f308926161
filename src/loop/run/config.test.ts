import { describe, expect, test } from "vitest";
import { withHints } from "../../gro/generate/index.ts";
import { inTurn } from "../../gro/method/index.ts";
import type { Method, Pass } from "../../gro/method.ts";
import { policyGradient, supervised } from "../../gro/update/index.ts";
import { demonstrations, procedural } from "../../lifecycle/acquire/index.ts";
import { refusalProbes } from "../../lifecycle/evaluate/index.ts";
import { defaults } from "../../lifecycle/guard/index.ts";
import { grpo, rejectionSampling, spin } from "../../lifecycle/optimize/index.ts";
import { reverse } from "../../world/task/index.ts";
import { defineRun, isRunDefinition, type RunConfig } from "./config.ts";

const task = reverse();

describe("defineRun", () => {
  test("a task alone is a valid run", () => {
    const definition = defineRun({ task });
    expect(definition).toMatchObject({
      name: "reverse",
      model: { name: "tiny" },
      engine: { name: "local" },
      prepare: null,
      acquire: [{ name: "demonstrations" }, { name: "procedural" }],
      select: [{ name: "deduplicate" }],
      optimize: { name: "rejection sampling" },
      refine: { name: "greedy decoding" },
      guard: defaults().map(({ name }) => ({ name })),
      gate: { mode: "decide", alpha: 0.05, cap: 4000, reusedOpenings: 4 },
      afterReject: "candidate",
      budget: { rounds: 8 },
      precision: "fp32",
      seed: 0,
    });
    expect(definition.evaluate).toMatchObject({ over: "difficulty", perStratum: 128 });
    expect(definition.oversight).toEqual({ ask: [], whileWaiting: "stop" });
    expect(definition.guard.map(({ name }) => name)).not.toContain("refusal loss");
    const refusals = refusalProbes({ prompts: ["How?"] });
    expect(defineRun({ task: reverse(), refusals }).guard.at(-1)?.name).toBe("refusal loss");
    const beside = { whileWaiting: "next-round" } as const;
    expect(() => defineRun({ task: reverse(), oversight: beside })).toThrow(
      /"oversight\.whileWaiting" .* nobody is asked: add "promotion" to "oversight\.ask"/,
    );
    expect(() => defineRun({ task: reverse(), oversight: { ...beside, ask: ["promotion"] } })).not.toThrow();
    expect(isRunDefinition(definition)).toBe(true);
  });

  test("keeps what it is given", () => {
    const prepare = supervised({ on: demonstrations(), steps: 5 });
    const optimize = grpo();
    const definition = defineRun({
      task,
      name: "mine",
      model: "./my-model",
      prepare,
      optimize,
      acquire: [procedural({ difficulty: 9 })],
      select: [],
      guard: [],
      gate: { cap: 100 },
      budget: { rounds: 0 },
      oversight: { ask: [], whileWaiting: "stop" },
      seed: 2 ** 48 - 1,
    });
    expect(definition).toMatchObject({ name: "mine", model: { name: "my-model" }, select: [], guard: [] });
    expect([definition.prepare, definition.optimize]).toEqual([prepare, optimize]);
    expect(definition.gate).toEqual({
      mode: "decide",
      alpha: 0.05,
      cap: 100,
      reusedOpenings: 4,
      probes: "enumerated",
      probeMargin: 0.02,
      probeDiscordance: 0.1,
      thinProbes: "refuse",
    });
  });

  test("a text in the place of the model is a known name, or a path", () => {
    expect(defineRun({ task, model: "smollm2-135m" }).model).toMatchObject({
      description: { model: "smollm2-135m" },
    });
    expect(defineRun({ task, model: "models/smollm2-135m" }).model).toMatchObject({
      description: { path: "models/smollm2-135m" },
    });
  });

  test.each([
    [{}, /option "task": expected something like reverse\(\)/],
    [
      { task: { ...task, verifier: undefined }, optimize: grpo() },
      /option "task": the task reverse has no verifier, which rewards .* and the gate ask .* such as verifier: exact\(\)\./,
    ],
    [{ task: { ...task, verifier: {} } }, /the task reverse has no verifier/],
    [{ task, modle: "x" }, /no option "modle"; did you mean "model"\?/],
    [{ task, gate: { aplha: 0.1 } }, /no option "gate.aplha"; did you mean "alpha"\?/],
    [{ task, gate: { mode: "observer" } }, /"gate.mode": .*did you mean "observe"\?/],
    [{ task, gate: { cap: 3 } }, /"gate.cap"/],
    [{ task, budget: { round: 3 } }, /no option "budget.round"; did you mean "rounds"\?/],
    [{ task, budget: { rounds: -1 } }, /"budget.rounds"/],
    [{ task, evaluate: { over: "skill" } }, /"evaluate.over"/],
    [{ task, model: 3 }, /"model": expected string or something like tiny/],
    [{ task, engine: "local" }, /"engine": expected something like local\(\)/],
    [{ task, acquire: [] }, /"acquire"/],
    [{ task, acquire: [grpo()] }, /"acquire.0": expected something like procedural\(\)/],
    [{ task, optimize: procedural() }, /"optimize": expected something like rejectionSampling\(\)/],
    [{ task, guard: [() => "ok"] }, /"guard.0": expected something like logprobMismatch\(\)/],
    [{ task, oversight: { ask: ["promotions"] } }, /"oversight\.ask\.0".*did you mean "promotion"\?/],
    [{ task, prepare: supervised() }, /"prepare" needs its data: supervised\(\{ on: demonstrations\(\)/],
    [{ task, seed: 0.5 }, /"seed"/],
    [{ task, seed: 2 ** 48 }, /"seed"/],
    [{ task, precision: "fp16" }, /"precision": expected one of "fp32"\|"mixed"\|"bf16"/],
    [{ task, name: "" }, /"name"/],
    [undefined, /expected object, received undefined/],
  ])("refuses %o", (config, message) => {
    expect(() => defineRun(config as unknown as RunConfig)).toThrow(message);
    expect(() => defineRun(config as unknown as RunConfig)).toThrow(
      expect.objectContaining({ code: "invalid-option", category: "user" }),
    );
  });

  test("what learns from demonstrations is refused where no source brings any", () => {
    const optimize = inTurn(rejectionSampling(), spin());
    expect(() => defineRun({ task, optimize, acquire: [procedural()] })).toThrow(
      expect.objectContaining({
        code: "no-demonstrations",
        message: expect.stringMatching(/^defineRun\(\): spin learns .* add demonstrations\(\) to "acquire"/),
      }),
    );
    expect(() => defineRun({ task, optimize })).not.toThrow();
    expect(() => defineRun({ task, optimize, acquire: [procedural()], budget: { rounds: 1 } })).not.toThrow();
  });

  test("a gradient of hinted text is refused in a method of one's own too, whichever pass and role follows it", () => {
    const withPass = (method: Method, change: Partial<Pass>): Method => ({
      ...method,
      passes: method.passes.map((pass) => ({ ...pass, generate: withHints(), ...change })),
    });
    const imitating = rejectionSampling();
    const refused = [
      withPass(grpo(), {}),
      withPass(imitating, { updates: { solver: policyGradient() } }),
      { ...imitating, passes: [...imitating.passes, ...withPass(grpo(), {}).passes] },
      inTurn(imitating, withPass(grpo(), {})),
    ];
    for (const optimize of refused)
      expect(() => defineRun({ task: reverse(), optimize })).toThrow(
        expect.objectContaining({
          code: "invalid-option",
          message: expect.stringContaining("after the item alone"),
        }),
      );
    const followed = withPass(grpo(), { updates: { solver: supervised() } });
    expect(() => defineRun({ task: reverse(), optimize: followed })).not.toThrow();
  });

  test("a difficulty that the task has not is refused before anything starts", () => {
    expect(() => defineRun({ task, acquire: [procedural({ difficulty: 99 })] })).toThrow(
      expect.objectContaining({ code: "no-such-stratum" }),
    );
  });

  test("its result is recognised by its mark", () => {
    for (const other of [{ task }, null, undefined, "x"]) expect(isRunDefinition(other)).toBe(false);
  });
});
