import { readdir } from "node:fs/promises";
import { join } from "node:path";
import { expect, test } from "vitest";
import type { Engine } from "../../../foundation/contract/index.ts";
import { served, type WireClient } from "./testing/wire-client.ts";

/** An engine that begins to load checkpoints, or all models, once it is let. */
function gated(kinds: readonly string[]) {
  const { promise, resolve: open } = Promise.withResolvers<void>();
  const around = (engine: Engine): Engine => ({
    name: engine.name,
    capabilities: () => engine.capabilities(),
    cost: () => engine.cost(),
    [Symbol.asyncDispose]: () => engine[Symbol.asyncDispose](),
    createModel: async (options) => {
      if (kinds.includes(options.source.kind)) await promise;
      return engine.createModel(options);
    },
    loadSampler: async (options) => {
      if (kinds.includes(options.source.kind)) await promise;
      return engine.loadSampler(options);
    },
  });
  return { around, open };
}

const save = async (client: WireClient, model: string, sequence: number): Promise<string> => {
  const body = { model_id: model, seq_id: sequence, path: "kept", overwrite: true };
  const { path } = (await client.result(await client.post("save_weights", body))).body;
  return String(path);
};

test.each([
  {
    name: "written over",
    gone: async (client: WireClient, model: string) => void (await save(client, model, 4)),
  },
  {
    name: "deleted",
    gone: async (client: WireClient, model: string) =>
      void (await client.request("DELETE", `training_runs/${model}/checkpoints/weights/kept`)),
  },
])("a checkpoint that is $name while it is loaded is loaded whole, and goes then", async ({ gone }) => {
  const { around, open } = gated(["checkpoint"]);
  await using one = await served({}, around);
  const { client } = one;
  const model = await client.model();
  const before = await client.logprobs(model, 1);
  const path = await save(client, model, 2);
  await client.pass(model, 3);
  const loading = await client.post("load_weights", {
    session_id: client.session,
    model_seq_id: 1,
    path,
    optimizer: true,
  });
  const sampler = await client.sampler(0, { model_path: path });
  await gone(client, model);
  const folders = () => readdir(join(one.folder, "state", "checkpoints"));
  const left = (await client.request("GET", "checkpoints")).body.checkpoints as unknown[];
  expect(await folders()).toHaveLength(left.length + 1);
  open();
  const loaded = String((await client.result(loading)).body.model_id);
  expect(await client.logprobs(loaded, 1)).toEqual(before);
  expect((await client.sample(sampler, 0)).samples?.sequences).toHaveLength(1);
  await client.post("whetstone/release_sampler", { sampling_session_id: sampler });
  await expect.poll(folders).toHaveLength(left.length);
  expect(one.faults).toEqual([]);
});

test("who asks of a model that is still being loaded, or ends, is not kept waiting", async () => {
  const { around, open } = gated(["folder"]);
  await using one = await served({ times: { poll: 40 } }, around);
  const { client } = one;
  const making = client.model();
  const id = `${client.session}:train:0`;
  await expect
    .poll(async () => (await client.post("get_info", { model_id: id })).body)
    .toMatchObject({ code: "still-loading" });
  const finish = () => client.post(`sessions/${client.session}/finish`, { reason: { type: "success" } });
  expect([(await finish()).status, (await finish()).status]).toEqual([200, 200]);
  open();
  await making;
  expect(one.faults).toEqual([]);
});
