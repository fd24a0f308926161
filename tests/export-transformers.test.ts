import { type ChildProcess, spawn } from "node:child_process";
import { mkdtemp, readdir, readFile, rm, stat } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { pythonTools } from "../scripts/python-tools.ts";
import {
  defineRun,
  demonstrations,
  exportModel,
  loadTokenizer,
  local,
  type RunConfig,
  reverse,
  run,
  supervised,
  type TinyOptions,
  tiny,
} from "../src/index.ts";

/** What a stranger does with each folder that is named: loads it as the model card says, and lets it answer greedily. */
const stranger = `
import json, sys
import torch
from transformers import AutoModelForCausalLM, AutoTokenizer

for line in sys.stdin:
    folder, prompts = json.loads(line)
    tokenizer = AutoTokenizer.from_pretrained(folder)
    model, loading = AutoModelForCausalLM.from_pretrained(folder, output_loading_info=True)
    answers = []
    for prompt in prompts:
        inputs = tokenizer(prompt, return_tensors="pt", return_token_type_ids=False)
        output = model.generate(**inputs, do_sample=False, max_new_tokens=12)
        answers.append({"prompt": inputs["input_ids"][0].tolist(), "answer": output[0, inputs["input_ids"].shape[1]:].tolist()})
    print(json.dumps({
        "answers": answers,
        "dtype": str(next(model.parameters()).dtype),
        "missing": sorted(loading["missing_keys"]),
        "unexpected": sorted(loading["unexpected_keys"]),
    }), flush=True)
`;

interface Seen {
  readonly answers: readonly { readonly prompt: readonly number[]; readonly answer: readonly number[] }[];
  readonly dtype: string;
  readonly missing: readonly string[];
  readonly unexpected: readonly string[];
}

let root: string;
let asked: ChildProcess;
/** What it says of each folder, a line each; without one it has ended, and its words are among the test's own. */
let said: AsyncIterator<string>;
beforeAll(async () => {
  root = await mkdtemp(join(tmpdir(), "whetstone-export-"));
  const { python, environment } = await pythonTools();
  asked = spawn(python, ["-c", stranger], {
    env: { ...environment, HF_HUB_OFFLINE: "1" },
    stdio: ["pipe", "pipe", "inherit"],
  });
  const lines = createInterface({ input: asked.stdout as NodeJS.ReadableStream });
  said = lines[Symbol.asyncIterator]();
});
afterAll(async () => {
  asked.kill();
  await rm(root, { recursive: true, force: true });
});

/** Where nothing that the model says matters. */
const untaught = supervised({ on: demonstrations(), steps: 1 });

/** A model that has learnt a little: what it says depends on every part of it. */
async function ran(name: string, model: TinyOptions, rest: Partial<RunConfig> = {}): Promise<string> {
  const folder = join(root, name);
  const definition = defineRun({
    name,
    model: tiny({ layers: 2, width: 32, heads: 2, ...model }),
    engine: local({ workers: 1 }),
    task: reverse({ lengths: [1, 4], growTo: 4, measureTo: 4 }),
    prepare: supervised({ on: demonstrations(), steps: 60, learningRate: 5e-3 }),
    evaluate: { perStratum: 8, auditPerStratum: 4, finalAuditPerStratum: 8 },
    gate: { mode: "observe" },
    budget: { rounds: 0 },
    ...rest,
  });
  await run(definition, { folder });
  return folder;
}

async function strangersAnswers(folder: string, prompts: readonly string[]): Promise<Seen> {
  asked.stdin?.write(`${JSON.stringify([folder, prompts])}\n`);
  for (;;) {
    const { value: line, done } = await said.next();
    if (done === true) throw new Error(`transformers could not load ${folder}`);
    if (line.startsWith("{")) return JSON.parse(line) as Seen;
  }
}

const prompts = ["1=", "12=", "123=", "9876=", "00700=", "314159265="];

async function ownAnswers(folder: string): Promise<Seen["answers"]> {
  const tokenizer = await loadTokenizer(folder);
  await using engine = await local({ workers: 1 }).open({ logFolder: join(root, "logs") });
  await using sampler = await engine.loadSampler({ source: { kind: "folder", path: folder } });
  const contexts = prompts.map((text) =>
    Int32Array.of(tokenizer.beginToken as number, ...tokenizer.encode(text)),
  );
  const samples = await sampler.sample(
    contexts.map((prompt) => ({
      prompt,
      samples: 1,
      seed: 0,
      parameters: { maxTokens: 12, temperature: 0, stopTokens: [tokenizer.endToken] },
    })),
  );
  return samples.map(([sample], index) => ({
    prompt: Array.from(contexts[index] as Int32Array),
    answer: Array.from(sample?.tokens ?? []),
  }));
}

describe("an exported folder", () => {
  test.each<[string, TinyOptions]>([
    ["rotary", { positions: "rotary", tied: true, keyValueHeads: 1 }],
    ["none", { positions: "none" }],
  ])(
    "of a model with positions %s is loaded by transformers, which says the same greedily",
    async (name, model) => {
      const folder = await ran(name, model);
      const to = join(root, `${name}-better`);
      const exported = await exportModel({ folder, to });
      expect(exported).toMatchObject({ run: `1-${name}`, round: 0, path: to });
      expect(exported.files).toEqual([
        "README.md",
        "config.json",
        "generation_config.json",
        "model.safetensors",
        "tokenizer.json",
        "tokenizer_config.json",
      ]);
      const sizes = await Promise.all(exported.files.map(async (file) => (await stat(join(to, file))).size));
      expect(exported.bytes).toBe(sizes.reduce((sum, size) => sum + size, 0));
      expect(await readFile(join(to, "README.md"), "utf8")).toContain('base_model: "tiny"');

      const seen = await strangersAnswers(to, prompts);
      expect(seen).toMatchObject({ dtype: "torch.float32", missing: [], unexpected: [] });
      const own = await ownAnswers(to);
      expect(new Set(own.map(({ answer }) => answer.join())).size).toBeGreaterThan(3);
      expect(seen.answers).toEqual(own);
    },
    240_000,
  );

  test("of a run that trained adapters holds them merged, or by themselves", async () => {
    const lora = { rank: 8, modules: ["attention", "mlp", "unembed"] } as const;
    const prepare = supervised({ on: demonstrations(), steps: 200, learningRate: 6e-3 });
    const folder = await ran(
      "adapters",
      { tied: true },
      { lora: { ...lora, modules: [...lora.modules] }, prepare },
    );
    const to = join(root, "merged");
    const exported = await exportModel({ folder, to });
    expect(exported.files).toContain("model.safetensors");
    expect(exported.files.filter((name) => name.startsWith("adapter"))).toEqual([]);
    expect(await readFile(join(to, "README.md"), "utf8")).toContain("added to the weights of the base");
    const seen = await strangersAnswers(to, prompts);
    expect(seen).toMatchObject({ dtype: "torch.float32", missing: [], unexpected: [] });
    const own = await ownAnswers(to);
    expect(new Set(own.map(({ answer }) => answer.join())).size).toBeGreaterThan(3);
    expect(seen.answers).toEqual(own);
    const small = join(root, "apart");
    const apart = await exportModel({ folder, to: small, adapter: true });
    expect(apart.files).toEqual([
      "README.md",
      "adapter_config.json",
      "adapter_model.safetensors",
      "generation_config.json",
      "tokenizer.json",
      "tokenizer_config.json",
    ]);
    const card = await readFile(join(small, "README.md"), "utf8");
    expect(card).toContain("library_name: peft");
    expect(card).toContain('PeftModel.from_pretrained(model, "./apart")');
    // What is beside the target goes when it is written.
    expect((await readdir(root)).filter((name) => name.startsWith("."))).toEqual([]);
    const whole = await ran("whole", {}, { prepare: untaught });
    await expect(
      exportModel({ folder: whole, to: join(root, "of-whole"), adapter: true }),
    ).rejects.toMatchObject({
      code: "no-adapter",
    });
  }, 240_000);

  test("cannot be made of learned positions, which transformers does not know beside this architecture", async () => {
    const folder = await ran("learned", { positions: "learned", maxPositions: 16 }, { prepare: untaught });
    await expect(exportModel({ folder, to: join(root, "learned-better") })).rejects.toMatchObject({
      code: "not-exportable",
    });
    await expect(stat(join(root, "learned-better"))).rejects.toThrow();
  }, 120_000);
});
