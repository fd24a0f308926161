import {
  cpSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  truncateSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { temporaryFolder, whetstone } from "./cli-program.ts";

const config = (
  model: string,
  steps = 1,
): string => `import { defineRun, demonstrations, local, reverse, supervised, tiny } from "whetstone";

export default defineRun({
  engine: local({ workers: 1 }),
  model: ${model},
  task: reverse({ lengths: [1, 2], growTo: 3, measureTo: 3 }),
  prepare: supervised({ on: demonstrations(), steps: ${steps} }),
  evaluate: { perStratum: 8, auditPerStratum: 4, finalAuditPerStratum: 8 },
  gate: { mode: "observe" },
  budget: { rounds: 0 },
});
`;

const tinyModel = "tiny({ layers: 1, width: 8, heads: 1 })";

/** A project whose config names a Hugging Face folder: what a tiny model is prepared as, without weights. */
async function projectWithModel(): Promise<{ readonly folder: string; readonly model: string }> {
  const folder = temporaryFolder(config(tinyModel));
  const planned = await whetstone(["plan"], { folder });
  expect(planned.code).toBe(0);
  const made = join(folder, ".whetstone", "models");
  const model = join(folder, "my-model");
  cpSync(join(made, readdirSync(made)[0] ?? ""), model, { recursive: true });
  rmSync(join(folder, ".whetstone"), { recursive: true });
  writeFileSync(join(folder, "whetstone.config.ts"), config('"./my-model"'));
  return { folder, model };
}

function changeConfig(model: string, members: Readonly<Record<string, unknown>>): void {
  const path = join(model, "config.json");
  writeFileSync(path, JSON.stringify({ ...JSON.parse(readFileSync(path, "utf8")), ...members }));
}

test.concurrent("a model folder without a tokenizer", async () => {
  const { folder, model } = await projectWithModel();
  rmSync(join(model, "tokenizer.json"));
  for (const command of ["plan", "run"]) {
    const { code, stderr } = await whetstone([command], { folder });
    expect(stderr).toMatch(/^whetstone: [^\n]*my-model[^\n]* tokenizer\.json[^\n]*\n$/);
    expect(code).toBe(3);
  }
});

test.concurrent("a model that is not there", async () => {
  const folder = temporaryFolder(config('"./nowhere"'));
  const { code, stderr } = await whetstone(["run"], { folder });
  expect(stderr).toMatch(/^whetstone: There is no folder [^\n]*nowhere\. A model is [^\n]*\n$/);
  expect(code).toBe(3);
});

test.concurrent("a model whose weights are in another format", async () => {
  const { folder, model } = await projectWithModel();
  writeFileSync(join(model, "pytorch_model.bin"), "weights");
  const { code, stderr } = await whetstone(["run"], { folder });
  expect(stderr).toMatch(/^whetstone: [^\n]*pytorch_model\.bin, and only safetensors are read[^\n]*\n$/);
  expect(code).toBe(3);
});

test("a model of an architecture that the engine does not know", async () => {
  const { folder, model } = await projectWithModel();
  changeConfig(model, { architectures: ["MambaForCausalLM"], model_type: "mamba" });
  const { code, stderr } = await whetstone(["run"], { folder });
  expect(stderr).toMatch(/^whetstone: [^\n]*mamba[^\n]*\n$/i);
  expect(code).toBe(3);
});

test("a truncated safetensors file", async () => {
  const folder = temporaryFolder(config(tinyModel));
  const made = await whetstone(["run", "--json"], { folder });
  expect(made.code).toBe(0);
  const { champion } = JSON.parse(made.stdout.trimEnd().split("\n").at(-1) ?? "") as {
    readonly champion: string;
  };
  const model = join(folder, "my-model");
  mkdirSync(model);
  cpSync(champion, model, { recursive: true });
  const weights = join(model, "model.safetensors");
  truncateSync(weights, statSync(weights).size - 8);
  writeFileSync(join(folder, "whetstone.config.ts"), config('"./my-model"'));
  const { code, stderr } = await whetstone(["run"], { folder });
  expect(stderr).toMatch(/^whetstone: [^\n]*model\.safetensors is not a whole safetensors file[^\n]*\n$/);
  expect(code).toBe(3);
});
