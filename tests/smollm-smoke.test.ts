import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import {
  arithmetic,
  defineRun,
  everything,
  exportModel,
  openChat,
  prompts,
  rejectionSampling,
  run,
  samples,
  supervised,
} from "../src/index.ts";

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "whetstone-smollm-"));
});
afterAll(() => rm(folder, { recursive: true, force: true }));

/** The example's loop at its smallest, on the real model: four rollouts, two optimiser steps; which of them is right does not matter. */
const smoke = defineRun({
  name: "smoke",
  model: "smollm2-135m",
  precision: "mixed",
  task: arithmetic({ kinds: ["sum"] }),
  acquire: [prompts({ items: 2 })],
  select: [],
  optimize: rejectionSampling({
    generate: samples({ samples: 2, temperature: 0.7 }),
    reward: everything(),
    update: supervised({
      steps: 2,
      batch: 2,
      learningRate: 2e-5,
      optimizerState: "fresh",
      replay: { newest: 1 },
    }),
  }),
  evaluate: { perStratum: 8, finalAuditPerStratum: 8, attemptItems: 1 },
  gate: { mode: "observe", cap: 10 },
  baselines: { off: "tests of baselines play them on small models" },
  budget: { rounds: 1 },
});

test("a real chat model goes round once: rollouts, steps, guards, and what was saved is what answers and is exported", async () => {
  const { events, outcome } = await run(smoke, { folder });
  expect(outcome).toBe("rounds-spent");
  const told = events.map(({ event }) => event);
  const trained = told.find((event) => event.type === "training-finished");
  expect(trained?.evidence).toMatchObject({ rollouts: 4 });
  const [findings] = told.flatMap((event) => (event.type === "guards-spoke" ? [event.findings] : []));
  const answers = new Map(findings?.map(({ guard, answer }) => [guard, answer]));
  expect(answers.get("logprob mismatch")).toBe("ok");
  expect(answers.get("sampler freshness")).toBe("ok");

  await using chat = await openChat({ folder, of: ["base", 1], maxTokens: 16 });
  expect(chat.conversational).toBe(true);
  // It is sure of this one; of France's its first word is a near tie, which rounding decides.
  const said = await chat.ask("What is the capital city of Japan?");
  expect(said).toHaveLength(2);
  expect(said[0]?.text).toContain("Tokyo");

  const to = join(folder, "better");
  await exportModel({ folder, to, which: 1 });
  const config = JSON.parse(await readFile(join(to, "tokenizer_config.json"), "utf8")) as object;
  expect(config).toHaveProperty("chat_template");
  expect(await readFile(join(to, "README.md"), "utf8")).toMatch(/^---\n[\s\S]*smollm2-135m/i);
}, 600_000);
