import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { Engine, ForwardOptions } from "../../src/foundation/contract/index.ts";
import {
  type ConformanceSubject,
  checkEngine,
  conformanceChecks,
  servedSubject,
} from "../../src/model/engine/conformance/index.ts";
import { linesOf } from "../../src/model/engine/conformance/lines.ts";
import { tiny } from "../../src/model/engine/index.ts";
import { tabular } from "../../src/model/engine/tabular/index.ts";
import { ableEngine } from "./able-engine.ts";
import { referenceOf } from "./able-reference.ts";
import { faults } from "./faults.ts";
import { faultyEngine, type Planting } from "./faulty-engine.ts";
import { roughEngine } from "./rough-engine.ts";

let folder: string;
let engine: Engine;
/** With all that the contract knows. */
let able: Engine;
let subject: ConformanceSubject;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "whetstone-kit-"));
  const needs = { characters: "0123456789=", projectFolder: folder };
  const { path, tokenizer } = await tiny().prepare(folder, needs);
  engine = await tabular().open({ logFolder: folder });
  const tokens = [tokenizer.endToken, ...tokenizer.encode(needs.characters)];
  const { vocabularySize } = tokenizer;
  able = ableEngine(engine, vocabularySize);
  subject = {
    engine: able,
    modelFolder: path,
    vocabularySize,
    tokens,
    another: async () => faultyEngine(able, {}),
    reference: referenceOf(able),
  };
});
afterAll(async () => {
  await engine[Symbol.asyncDispose]();
  await rm(folder, { recursive: true });
});

const checks = conformanceChecks();

describe("the conformance kit", () => {
  test.each(faults)("catches an engine where $fault", async ({ caughtBy, planting }) => {
    const check = checks.find(({ name }) => name === caughtBy);
    const open = async () => faultyEngine(able, planting);
    const faulty = { ...subject, engine: await open(), another: open };
    await expect(check?.run(faulty)).rejects.toMatchObject({ code: "conformance-failed" });
  });

  test("has a fault for every check, and passes the engine that has none", async () => {
    const plain = { ...subject, engine: faultyEngine(able, {}) };
    const caught = new Set(faults.map(({ caughtBy }) => caughtBy));
    for (const { name, run } of checks) {
      expect(caught).toContain(name);
      expect(await run(plain)).toMatchObject({ outcome: "passed" });
    }
    expect(new Set(checks.map(({ name }) => name)).size).toBe(checks.length);
    // The whole kit.
  }, 120_000);

  const roughExcuses = [
    ["clipping begins exactly at its edges", "its logprobs in bf16 are too rough for an edge"],
    [
      "a sequence has the same bits whatever else is in its call",
      'it does not claim that (deterministic: "batches")',
    ],
  ] as const;
  const trainedExcuses = [
    ["the gradient of every weight is its finite difference", "its checkpoints are out of sight"],
    ["equal seeds draw equal weights, other seeds others", "no seed decides its weights"],
  ] as const;
  const trained = { trained: true, remote: true } as const;
  const exact = (): Engine => able;
  const rough = (): Engine => roughEngine(able);

  describe.each<{
    where: string;
    excuses: ReadonlyMap<string, string>;
    members: Partial<ConformanceSubject>;
    inner: () => Engine;
  }>([
    {
      where: "where logprobs are rounded to bf16",
      excuses: new Map([
        ["the gradient of every weight is its finite difference", "rounded weights do not move by little"],
        ...roughExcuses,
      ]),
      members: { precision: "bf16" },
      inner: rough,
    },
    {
      where: "where the model is trained, with lines of its own",
      excuses: new Map(trainedExcuses),
      members: trained,
      inner: exact,
    },
    {
      where: "where both is so, with steps that begin short",
      excuses: new Map([
        [
          "a step along the gradient changes the loss as predicted, at two sizes",
          "a trained model's small steps are rounded away",
        ],
        ...roughExcuses,
        ...trainedExcuses,
      ]),
      members: { ...trained, precision: "bf16" },
      inner: rough,
    },
  ])("$where", ({ excuses, members, inner }) => {
    const subjectOf = (planting: Planting): ConformanceSubject => {
      const open = (): Engine => faultyEngine(inner(), planting);
      return { ...subject, ...members, engine: open(), another: async () => open() };
    };

    test.each(faults.filter(({ caughtBy }) => !excuses.has(caughtBy)))(
      "catches an engine where $fault",
      async ({ caughtBy, planting, inBf16 = planting }) => {
        const check = checks.find(({ name }) => name === caughtBy);
        const faulty = subjectOf(members.precision === "bf16" ? inBf16 : planting);
        await expect(check?.run(faulty)).rejects.toMatchObject({ code: "conformance-failed" });
      },
    );

    test.each(checks)("passes the engine that has none: $name", async ({ name, run }) => {
      const reason = excuses.get(name);
      const expected = reason === undefined ? { outcome: "passed" } : { outcome: "not-applicable", reason };
      expect(await run(subjectOf({}))).toMatchObject(expected);
    });
  });

  test("compares draws with chance where tokens are many and logprobs rough", async () => {
    const characters = Array.from({ length: 1100 }, (_, at) => String.fromCodePoint(0x4e00 + at)).join("");
    const needs = { characters, projectFolder: folder };
    const { path, tokenizer } = await tiny().prepare(join(folder, "many"), needs);
    const { vocabularySize } = tokenizer;
    const many = ableEngine(engine, vocabularySize);
    const run = async (planting: Planting): Promise<unknown> => {
      const open = (): Engine => faultyEngine(roughEngine(many), planting);
      return await checks
        .find(({ name }) => name === "a seed gives the same samples in any batch")
        ?.run({ engine: open(), modelFolder: path, vocabularySize, precision: "bf16" });
    };
    expect(await run({})).toMatchObject({ outcome: "passed" });
    const [placed] = faults.filter(({ fault }) => fault === "seeds depend on the place in the batch");
    await expect(run(placed?.planting ?? {})).rejects.toThrow(/how many tokens differ, is /);
  });

  test("asks a trained model for lines of its own, and begins with short steps", async () => {
    const rates: number[] = [];
    const asked = new Set<string>();
    const watched = faultyEngine(roughEngine(able), {
      model: (inner) => ({
        forwardBackward: (data, options) => {
          for (const { tokens } of data) asked.add(tokens.join());
          return inner.forwardBackward(data, options);
        },
        optimStep: (step) => {
          rates.push(step.learningRate);
          return inner.optimStep(step);
        },
      }),
    });
    const check = checks.find(({ name }) => name === "models that take turns do not touch each other");
    const played = async (trained: boolean): Promise<readonly [readonly number[], readonly string[]]> => {
      rates.length = 0;
      asked.clear();
      await check?.run({ ...subject, engine: watched, trained, remote: true, precision: "bf16" });
      return [[...new Set(rates)], [...asked]];
    };
    const [drawn, ofChance] = await played(false);
    const [steps, own] = await played(true);
    expect(drawn[0]).toBe(0.03);
    expect(steps[0]).toBeCloseTo(3e-5, 12);
    expect(steps).toEqual(steps.toSorted((one, other) => one - other));
    const sampler = await roughEngine(able).loadSampler({
      precision: "bf16",
      source: { kind: "folder", path: subject.modelFolder, seed: 1 },
    });
    const lines = (await linesOf(sampler, subject.tokens ?? [])).slice(0, 6);
    expect(new Set(own)).toEqual(new Set(lines.map((line) => line.subarray(0, -1).join())));
    expect(own).not.toEqual(ofChance);
  });

  test("takes a model by its name where it lies elsewhere", async () => {
    const { tokens = [], modelFolder, vocabularySize } = subject;
    const served = await servedSubject(engine, modelFolder, { tokens });
    expect(served).toMatchObject({ vocabularySize, trained: true, remote: true });
    const results = await checkEngine(served, { fast: true });
    expect(results.filter(({ outcome }) => outcome !== "passed")).toEqual([]);
  });

  test("says why transformers was not asked", async () => {
    const { reference: _reference, ...alone } = subject;
    const missing = { ...subject, reference: { missing: "transformers is not installed; install it" } };
    const compared = checks.filter(({ name }) => name.endsWith("that transformers computes"));
    expect(compared.length).toBe(8);
    for (const { run } of compared) {
      expect(await run(alone)).toEqual({
        outcome: "not-applicable",
        reason: "it runs no model that transformers could load beside it",
      });
      expect(await run(missing)).toEqual({
        outcome: "not-applicable",
        reason: "not run: transformers is not installed; install it",
      });
    }
  });

  test("excuses an engine from what it does not claim, and says so", async () => {
    const capabilities = async () => ({
      ...(await engine.capabilities()),
      losses: ["cross_entropy"] as const,
      optimizers: ["adamw"] as const,
      stopStrings: false,
      topLogprobs: 0,
      extensions: [],
      deterministic: [],
    });
    const modest = {
      ...subject,
      trained: true,
      remote: true,
      engine: faultyEngine(engine, {
        engine: () => ({ capabilities }),
        // What is not claimed is refused.
        model: (inner) => ({
          forward: (data, options) => inner.forward(data, known(options)),
          forwardBackward: (data, options) => inner.forwardBackward(data, known(options)),
          optimStep: (step) =>
            inner.optimStep(step.optimizer === "sgd" ? { ...step, learningRate: -1 } : step),
        }),
        sampler: (inner) => ({
          sample: (requests, options) =>
            inner.sample(
              requests.map((request) => {
                const { stopStrings, topLogprobs = 0 } = request.parameters;
                return stopStrings === undefined && topLogprobs === 0
                  ? request
                  : { ...request, parameters: { ...request.parameters, maxTokens: 0 } };
              }),
              options,
            ),
        }),
      }),
    };
    const excused: string[] = [];
    for (const { name, run } of checks) {
      const result = await run(modest);
      if (result.outcome === "not-applicable") excused.push(`${name}: ${result.reason}`);
    }
    expect(excused).toMatchInlineSnapshot(`
      [
        "importance_sampling of one's own samples is cross_entropy with advantages as weights: it has no importance_sampling",
        "importance_sampling weighs by the probability ratio: it has no importance_sampling",
        "ppo is importance_sampling while the ratio is near one: it has no importance_sampling",
        "ppo clips what has gone far enough, and only that: it has no importance_sampling",
        "a mask says which positions count: it has no importance_sampling",
        "the gradient of every weight is its finite difference: its checkpoints are out of sight",
        "clipping begins exactly at its edges: it has no loss that clips",
        "bounds of a position take the place of the loss's: it has no loss that clips",
        "equal seeds draw equal weights, other seeds others: no seed decides its weights",
        "a stop string ends a sample with the token that completes it: it has no stop strings",
        "the same calls give the same bits, whatever runs beside them: it does not claim that (deterministic: "calls")",
        "a sampler's answers have the same bits, whichever it gave before: it does not claim that (deterministic: "calls")",
        "the same calls give the same bits in another engine: it does not claim that (deterministic: "engines")",
        "a sequence has the same bits whatever else is in its call: it does not claim that (deterministic: "batches")",
        "an adapter begins as its base, and says what it is: it has no adapters",
        "adapters of one base touch neither each other nor it: it has no adapters",
        "an adapter goes on as it was saved, and can be sampled from: it has no adapters",
        "ranks that there are not are refused: it has no adapters",
        "the most probable tokens are those of the model itself: it has no most probable tokens",
        "sampled positions tell their most probable tokens, whatever filtered them: it has no most probable tokens",
        "certainty is that of the distribution: it has no certainty",
        "a mean embedding is the mean of the last ones of all prefixes: it has no embeddings",
        "gradient features have the gradients' lengths and angles: it has no gradient-features",
        "gradient features depend on their seed alone, and leave the model as it is: it has no gradient-features",
        "the logits of a tiny Llama are those that transformers computes: it does not tell the probabilities of all tokens",
        "the logits of a tiny Qwen2 are those that transformers computes: it does not tell the probabilities of all tokens",
        "the logits of a tiny Qwen3 are those that transformers computes: it does not tell the probabilities of all tokens",
        "the logits of a tiny Mistral are those that transformers computes: it does not tell the probabilities of all tokens",
        "the logits of a tiny SmolLM3 are those that transformers computes: it does not tell the probabilities of all tokens",
        "the logits of a tiny Gemma 3 are those that transformers computes: it does not tell the probabilities of all tokens",
        "the logits of a tiny Phi are those that transformers computes: it does not tell the probabilities of all tokens",
        "the logits of a tiny OLMo 2 are those that transformers computes: it does not tell the probabilities of all tokens",
      ]
    `);
  });
});

function known(options: ForwardOptions): ForwardOptions {
  return options.loss.name === "cross_entropy" ? options : { ...options, loss: { name: "none" } as never };
}
