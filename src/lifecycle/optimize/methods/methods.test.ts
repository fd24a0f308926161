import { glob, readFile } from "node:fs/promises";
import { describe, expect, test } from "vitest";
import { randomStream } from "../../../foundation/base/index.ts";
import type { Datum } from "../../../foundation/contract/index.ts";
import { greedy, samples } from "../../../gro/generate/index.ts";
import { inTurn, methodOf } from "../../../gro/method/index.ts";
import type { Method } from "../../../gro/method.ts";
import { agreement, majority } from "../../../gro/reward/index.ts";
import { FakeModel, groupOf, noModels, policyOf } from "../../../gro/rollout/testing/fakes.ts";
import { policyGradient, supervised } from "../../../gro/update/index.ts";
import { reverse } from "../../../world/task/index.ts";
import { demonstrations } from "../../acquire/index.ts";
import {
  expertIteration,
  grpo,
  lmsi,
  methods,
  rejectionSampling,
  restEm,
  rft,
  selfImprovingTransformers,
  star,
  supervisedFineTuning,
} from "../index.ts";

const passOf = ({ passes: [pass] }: Method) => {
  if (pass === undefined) throw new Error("no pass");
  return pass;
};

describe("rejectionSampling", () => {
  test("answers greedily, keeps what the verifier accepts, and imitates half of every batch from it", () => {
    const method = rejectionSampling();
    expect(method).toMatchObject({ name: "rejection sampling", roles: ["solver"], learnsBy: "imitation" });
    expect(passOf(method)).toMatchObject({
      generate: { name: "greedy", samplesPerItem: 1 },
      reward: { name: "verifier" },
      update: { name: "supervised", batch: 64, optimizerState: "continued" },
      repeat: 1,
      start: "current",
    });
    expect(method.description).toMatchObject({ update: { newest: 0.5, base: 8, learningRate: 1e-3 } });
  });

  test("takes other parts, and the roles that its reward needs", () => {
    const method = rejectionSampling({
      generate: samples({ samples: 4 }),
      reward: agreement({ peers: 2 }),
      start: "base",
    });
    expect(method.roles).toEqual(["solver", "peer"]);
    expect(passOf(method)).toMatchObject({ generate: { samplesPerItem: 4 }, start: "base" });
  });
});

describe("star", () => {
  test("samples once, keeps what is right, and fine-tunes the base model on that alone", () => {
    const method = star();
    expect(passOf(method)).toMatchObject({
      generate: { name: "samples", samplesPerItem: 1, description: { temperature: 1 } },
      reward: { name: "verifier" },
      update: { learningRate: 5e-4, optimizerState: "fresh", description: { steps: 60, newest: 1 } },
      start: "base",
    });
    expect(passOf(star({ start: "current", rationalise: false })).start).toBe("current");
  });

  test("shows the answer where the first attempt failed, if it is to", () => {
    expect(passOf(star({ rationalise: true })).generate.name).toBe("with hints");
    expect(() => star({ rationalise: true, generate: greedy() })).toThrow(/one of rationalise and generate/);
  });
});

describe.each([
  ["rejectionSampling()", rejectionSampling],
  ["star()", star],
])("%s refuses", (name, make) => {
  test.each([
    [
      { update: policyGradient() },
      /"update" must imitate what is kept, such as supervised\(\), not policy gradient/,
    ],
    [{ update: supervised({ on: demonstrations() }) }, /"on" is for "prepare"/],
    [{ start: "curent" }, /did you mean "current"/],
    [{ updates: supervised() }, /did you mean "update"/],
    [{ reward: "verifier" }, /such as verifier\(\)/],
  ])("%o", (options, message) => {
    expect(() => make(options as object)).toThrow(message);
    expect(() => make(options as object)).toThrow(expect.objectContaining({ code: "invalid-option" }));
    expect(() => make(options as object)).toThrow(name);
  });
});

test("whose many samples are imitated says that equal ones are learnt once", () => {
  const imitating = methods().filter((page) =>
    page
      .make()
      .passes.some(
        ({ generate, update, updates = {} }) =>
          generate.samplesPerItem > 1 &&
          [update, ...Object.values(updates)].some(({ name }) => name === "supervised"),
      ),
  );
  expect(imitating.length).toBeGreaterThan(8);
  for (const { name, formula, differs } of imitating)
    expect(`${name}: ${formula}; ${differs}`).toMatch(/distinct|are learnt once/);
});

test("every update tells all its options, the usual clip norm too, that no description has", () => {
  for (const { name, make } of methods())
    for (const { update, updates = {} } of make().passes)
      for (const each of [update, ...Object.values(updates)].filter((one) => one.name !== "nothing")) {
        expect({ name, ...each.settings }).toMatchObject({ gradientClipNorm: 1 });
        expect(each.description).not.toHaveProperty("gradientClipNorm");
      }
});

test("no part knows a method's name", async () => {
  const call = new RegExp(
    `\\b(${methods()
      .map(({ make }) => make.name)
      .join("|")})\\(\\)`,
  );
  expect("such as grpo().").toMatch(call);
  const named: string[] = [];
  for await (const path of glob("src/gro/{generate,reward,update}/**/*.ts", {
    exclude: (name) => name.endsWith(".test.ts"),
  })) {
    const code = (await readFile(path, "utf8")).replaceAll(/\/\*\*[\s\S]*?\*\/|^\s*\/\/.*$/gm, "");
    if (call.test(code)) named.push(path);
  }
  expect(named).toEqual([]);
});

describe("kin of rejection sampling", () => {
  const rightOnes = { by: "text", perItem: 4 };
  test.each([
    [
      restEm({ samples: 8, perItem: 4 }),
      { samplesPerItem: 8 },
      { name: "distinct verifier", description: rightOnes },
      "base",
    ],
    [
      rft({ samples: 8 }),
      { samplesPerItem: 8 },
      { name: "distinct verifier", description: { by: "equations" } },
      "base",
    ],
    [
      lmsi({ share: 0.5 }),
      { samplesPerItem: 32 },
      { name: "majority", description: { share: 0.5 } },
      "current",
    ],
    [expertIteration(), { samplesPerItem: 8 }, { name: "distinct verifier" }, "current"],
    [selfImprovingTransformers(), { samplesPerItem: 1 }, { name: "agreement" }, "current"],
    [
      selfImprovingTransformers({ filter: "length" }),
      { samplesPerItem: 1 },
      { name: "modal length" },
      "current",
    ],
  ])("%o", (method, generate, reward, start) => {
    expect(passOf(method)).toMatchObject({ generate, reward, start, update: { learnsBy: "imitation" } });
  });

  test("two peers that must agree are trained apart", () => {
    expect(selfImprovingTransformers().roles).toEqual(["solver", "peer"]);
  });
});

describe("grpo", () => {
  test("takes 32 items × 8 samples at T = 1 a step, ten steps a round", () => {
    const method = grpo();
    expect(method).toMatchObject({ name: "grpo", roles: ["solver"], learnsBy: "policy-gradient" });
    expect(passOf(method)).toMatchObject({
      items: 32,
      repeat: 10,
      start: "current",
      generate: { samplesPerItem: 8, description: { temperature: 1, topP: 1 } },
      reward: { name: "verifier" },
      update: {
        description: { learningRate: 3e-4, divideByDeviation: true, loss: "importance_sampling" },
      },
    });
  });

  test("hands its options to its parts", () => {
    const method = grpo({
      items: 4,
      samples: 2,
      temperature: 0.5,
      steps: 3,
      learningRate: 1,
      reward: majority(),
      divideByDeviation: false,
    });
    expect(passOf(method)).toMatchObject({
      items: 4,
      repeat: 3,
      generate: { samplesPerItem: 2, description: { temperature: 0.5 } },
      reward: { name: "majority" },
      update: { description: { learningRate: 1, divideByDeviation: false } },
    });
  });

  test.each([
    [{ samples: 1 }, /"samples"/],
    [{ steps: 0 }, /"steps"/],
    [{ learning_rate: 1 }, /did you mean "learningRate"/],
    [{ reward: greedy() }, /such as verifier\(\)/],
  ])("refuses %o", (options, message) => {
    expect(() => grpo(options as object)).toThrow(message);
  });

  test("its gradient is what its formula says", async () => {
    const rewards = [1, 0, 0, 0.5];
    const texts = ["x", "yyy", "zz", "w"];
    const groups = [
      groupOf(
        "a",
        texts.map((text, index) => [text, rewards[index] ?? 0] as const),
      ),
      groupOf("b", [
        ["same", 1],
        ["reward", 1],
      ]),
    ];
    const model = new FakeModel();
    await passOf(grpo()).update.update({
      policy: policyOf(model),
      groups,
      replay: { base: [], older: [] },
      task: reverse(),
      models: noModels,
      random: randomStream(0, "x"),
      from: 0,
      to: 1,
    });
    const mean = rewards.reduce((sum, reward) => sum + reward, 0) / 4;
    const deviation = Math.sqrt(rewards.reduce((sum, reward) => sum + (reward - mean) ** 2, 0) / 4);
    // The group with equal rewards adds nothing to the sum, and stands in what it is divided by.
    const tokens = [...texts, "same", "reward"].reduce((sum, text) => sum + text.length + 1, 0);
    const data = model.trained[0]?.data ?? [];
    expect(data).toHaveLength(4);
    for (const [index, datum] of data.entries()) {
      const expected = ((rewards[index] ?? 0) - mean) / deviation / tokens;
      const slopes = slopesOf(datum);
      expect(slopes.filter((slope) => slope !== 0)).toHaveLength((texts[index]?.length ?? 0) + 1);
      for (const slope of slopes) if (slope !== 0) expect(slope).toBeCloseTo(-expected, 6);
    }
  });
});

/** d(loss)/d(logprob) of the contract's importance_sampling at each position, by finite differences where logp = logprobs. */
function slopesOf({ advantages, logprobs, mask }: Datum): number[] {
  const loss = (position: number, shift: number): number => {
    const behaviour = logprobs?.[position] ?? 0;
    return -(mask?.[position] ?? 1) * Math.exp(behaviour + shift - behaviour) * (advantages?.[position] ?? 0);
  };
  const step = 1e-4;
  return Array.from(
    advantages ?? [],
    (_, position) => (loss(position, step) - loss(position, -step)) / (2 * step),
  );
}

describe("inTurn", () => {
  const first = supervisedFineTuning({ epochs: 3, batch: 4, learningRate: 1e-4 });
  const second = rejectionSampling();

  test("plays one method a round, and the last one from then on", () => {
    const method = inTurn(first, second);
    expect([1, 2, 3, 9].map((round) => methodOf(method, round).name)).toEqual([
      "supervised fine-tuning",
      "rejection sampling",
      "rejection sampling",
      "rejection sampling",
    ]);
    expect(method).toMatchObject({
      name: "supervised fine-tuning, then rejection sampling",
      roles: ["solver"],
      description: { inTurn: [{ name: first.name }, { name: second.name }] },
    });
    expect(method.passes).toBe(second.passes);
  });

  test("nests, and one method alone is itself in every round", () => {
    const nested = inTurn(inTurn(first, second), grpo());
    expect([1, 2, 3, 4].map((round) => methodOf(nested, round).name)).toEqual([
      first.name,
      second.name,
      "grpo",
      "grpo",
    ]);
    const right = inTurn(second, inTurn(first, grpo()));
    expect([1, 2, 3].map((round) => methodOf(right, round).name)).toEqual([second.name, first.name, "grpo"]);
    expect(methodOf(second, 7)).toBe(second);
  });

  test("refuses what is no method", () => {
    expect(() => inTurn([first, second] as never)).toThrow(/expected methods one after the other/);
    expect(() => (inTurn as () => unknown)()).toThrow(/expected methods one after the other/);
  });

  test("refuses methods of other roles", () => {
    expect(() => inTurn(second, rejectionSampling({ reward: agreement({ peers: 2 }) }))).toThrow(
      /trains solver and rejection sampling trains solver, peer/,
    );
  });
});

describe("supervisedFineTuning", () => {
  test("writes nothing and learns from demonstrations alone, in epochs", () => {
    const method = supervisedFineTuning({ epochs: 3, batch: 4, learningRate: 1e-4 });
    expect(passOf(method)).toMatchObject({
      generate: { name: "nothing", samplesPerItem: 0 },
      update: { description: { epochs: 3, batch: 4, learningRate: 1e-4, newest: 0 } },
    });
    expect(passOf(method).update.steps({ newest: 0, base: 100 })).toBe(75);
  });

  test.each([
    [{ epochs: 0 }, /"epochs"/],
    [{ steps: 3 }, /no option "steps"/],
  ])("refuses %o", (options, message) => {
    expect(() => supervisedFineTuning(options as object)).toThrow(message);
  });
});
