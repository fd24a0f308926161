import { mkdir, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import type { Engine } from "../src/foundation/contract/index.ts";
import {
  defineRun,
  demonstrations,
  exportModel,
  fromFolder,
  local,
  plan,
  type RunConfig,
  type RunDefinition,
  reverse,
  run,
  serveTinker,
  supervised,
  tabular,
  tiny,
} from "../src/index.ts";
import { modelName, WireClient } from "../src/model/engine/serve/testing/wire-client.ts";
import { defined } from "./docs-code.ts";

let folder: string;
let engine: Engine;
const needs = () => ({ characters: "0123456789=", projectFolder: folder });

/** A base with weights, and beside it what `peft` would leave of adapters over it: two files, and no `config.json`. */
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "whetstone-peft-"));
  engine = await local({ workers: 1 }).open({ logFolder: join(folder, "logs") });
  const { path } = await tiny({ layers: 1, width: 16, heads: 2, positions: "rotary" }).prepare(
    folder,
    needs(),
  );
  const [base, saved] = [join(folder, "base"), join(folder, "saved")];
  await using whole = await engine.createModel({ source: { kind: "folder", path, seed: 1 } });
  await whole.save({ path: base, optimizer: false });
  const source = { kind: "folder", path: base } as const;
  await using trained = await engine.createModel({ source, lora: { rank: 4, alpha: 8 } });
  await trained.save({ path: saved, optimizer: false });
  const adapters = join(folder, "my-adapters");
  await mkdir(adapters);
  const config = JSON.parse(await readFile(join(saved, "adapter_config.json"), "utf8"));
  const named = { ...config, base_model_name_or_path: "../base" };
  await writeFile(join(adapters, "adapter_config.json"), JSON.stringify(named));
  const weights = "adapter_model.safetensors";
  await writeFile(join(adapters, weights), await readFile(join(saved, weights)));
}, 600_000);
afterAll(async () => {
  await engine[Symbol.asyncDispose]();
  await rm(folder, { recursive: true });
});

const define = (rest: Partial<RunConfig> = {}) =>
  defineRun({
    model: "./my-adapters",
    engine: local({ workers: 1 }),
    task: reverse({ lengths: [1, 2], growTo: 2, measureTo: 2 }),
    prepare: supervised({ on: demonstrations(), steps: 3, learningRate: 1e-3 }),
    evaluate: { perStratum: 8, auditPerStratum: 4, finalAuditPerStratum: 8 },
    gate: { mode: "observe" },
    budget: { rounds: 0 },
    ...rest,
  });

test("adapters of peft are a run's model, are trained on as such, and go out as peft reads them", async () => {
  await run(define(), { folder });
  const to = join(folder, "better");
  expect((await exportModel({ folder, to, adapter: true })).files).toContain("adapter_model.safetensors");
  const config = JSON.parse(await readFile(join(to, "adapter_config.json"), "utf8"));
  expect(config).toMatchObject({ r: 4, lora_alpha: 8, base_model_name_or_path: join(folder, "base") });
  const [before, after] = await Promise.all(
    ["my-adapters", "better"].map((name) => readFile(join(folder, name, "adapter_model.safetensors"))),
  );
  expect(before?.equals(after as Buffer)).toBe(false);
}, 240_000);

test("the run of docs/engines.md can be planned", async () => {
  const { lines } = await plan(defined<RunDefinition>("engines.md", "goesOn"), { folder });
  expect(lines.length).toBeGreaterThan(3);
});

test("no others are put over them, and an engine without adapters is refused", async () => {
  await expect(plan(define({ lora: { rank: 2 } }), { folder })).rejects.toMatchObject({
    code: "invalid-option",
    message: expect.stringContaining("holds adapters of rank 4"),
  });
  await expect(plan(define({ engine: tabular() }), { folder })).rejects.toMatchObject({
    code: "engine-lacks",
  });
});

test("a server takes them as a base: rank 0 trains them on, and no other rank is given", async () => {
  const { path } = await fromFolder("./my-adapters").prepare(join(folder, "served"), needs());
  const models = { [modelName]: path };
  await using server = await serveTinker({ engine, models, stateFolder: join(folder, "state"), key: "k" });
  const client = await new WireClient(server.url, "k").open();
  const id = await client.model();
  await client.pass(id, 1);
  expect(await client.step(id, 2)).toMatchObject({ "step:max": 1 });
  const { body } = await client.post("get_info", { model_id: id, type: "get_info" });
  expect(body).toMatchObject({ is_lora: true, lora_rank: 4 });
  const asked = { session_id: client.session, base_model: modelName, lora_config: { rank: 8 } };
  const refused = await client.result(await client.post("create_model", { ...asked, model_seq_id: 1 }));
  expect(refused.body).toMatchObject({ code: "unsupported-rank" });
  const folderAlone = { [modelName]: join(folder, "my-adapters") };
  await expect(
    serveTinker({ engine, models: folderAlone, stateFolder: join(folder, "other") }),
  ).rejects.toMatchObject({ code: "config-missing", message: expect.stringContaining("fromFolder(") });
});
