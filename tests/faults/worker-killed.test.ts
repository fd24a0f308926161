import { readdir } from "node:fs/promises";
import { dirname, join } from "node:path";
import { expect, test } from "vitest";
import {
  type Answer,
  modelName,
  plainPass,
  tinyFolder,
} from "../../src/model/engine/serve/testing/wire-client.ts";
import { writeFeatures, writeReading } from "../../src/model/engine/tinker/index.ts";
import { type LocalServer, localServer } from "./local-server.ts";

/** A copy of a model's weights, for a worker that holds no model, is made where the model is: it goes with that worker. */
async function dyingInCopy(
  { client, engine, doom }: LocalServer,
  workers: readonly number[],
  held: readonly string[],
): Promise<void> {
  for (const model of held) await client.result(await client.post("unload_model", { model_id: model }));
  await using model = await engine.createModel({ source: { kind: "folder", path: tinyFolder, seed: 1 } });
  for (const worker of workers) await doom(worker, "copy");
  const tokens = Int32Array.of(3, 4);
  // The snapshot itself fails where the worker was asked for both before it answered either.
  const scored = async () => {
    await using copied = await model.snapshot({ expected: { tokens: 1, whileTraining: true } });
    return copied.logprobs([tokens]);
  };
  await expect(scored()).rejects.toMatchObject({
    category: "engine",
    code: "worker-died",
    message: expect.stringContaining("dying in copy"),
  });
  await using other = await engine.createModel({ source: { kind: "folder", path: tinyFolder, seed: 1 } });
  await using own = await other.snapshot();
  expect((await own.logprobs([tokens]))[0]).toHaveLength(2);
}

test.concurrent.each([
  {
    kind: "training",
    verbs: ["forward", "forward_backward", "gradient_features", "optim_step", "save", "snapshot"],
  },
  {
    kind: "loading and sampling",
    verbs: ["sample", "logprobs", "certainty", "embed", "create_model", "load", "load_sampler"],
  },
])(
  "a worker killed in any verb of $kind: the call says so, and what other workers hold goes on",
  {
    timeout: 300_000,
  },
  async ({ verbs }) => {
    await using server = await localServer({ workers: 2, mortal: true });
    const { client, checkpoints } = server;
    let models = 0;
    const fromNothing = () => ({
      session_id: client.session,
      model_seq_id: models++,
      base_model: modelName,
      lora_config: { rank: 0 },
    });
    const newModel = async (): Promise<string> =>
      String((await client.result(await client.post("create_model", fromNothing()))).body.model_id);
    // One worker holds two models from now on, so that each later one goes to the other worker.
    const survivor = await newModel();
    let victim = await newModel();
    const beside = await newModel();
    let calls = 1;
    await client.pass(survivor, calls++);
    await client.step(survivor, calls++);
    const kept = await client.result(
      await client.post("save_weights", { model_id: survivor, seq_id: calls++, path: "kept" }),
    );
    const before = await client.logprobs(survivor, calls++);
    const snapshot = async (model: string, sequence: number): Promise<string> => {
      const body = { model_id: model, seq_id: sequence, sampling_session_seq_id: samplers++ };
      return String(
        (await client.result(await client.post("save_weights_for_sampler", body))).body.sampling_session_id,
      );
    };
    let samplers = 0;
    let held = "";
    let base = "";
    const whole = { prompt_logprobs: true };
    let onVictim = 0;
    const reading = (pooling: string): Uint8Array =>
      writeReading({
        samplerId: held,
        sequence: 0,
        sequences: [[{ kind: "tokens", tokens: Int32Array.of(3, 4) }]],
        pooling,
      });
    const ofCall = (): object => ({ model_id: victim, seq_id: ++onVictim });

    const deadly: Readonly<Record<string, () => Promise<Answer>>> = {
      forward: () => client.pass(victim, ++onVictim, { forwardOnly: true }),
      forward_backward: () => client.pass(victim, ++onVictim),
      gradient_features: async () => {
        const pass = { ...plainPass, modelId: victim, sequence: ++onVictim };
        const asked = writeFeatures({ pass, dimensions: 8, seed: 1 });
        return client.result(await client.postBytes("whetstone/gradient_features", asked));
      },
      optim_step: async () => client.result(await client.submitStep(victim, ++onVictim)),
      save: async () => client.result(await client.post("save_weights", { ...ofCall(), path: "lost" })),
      snapshot: async () =>
        client.result(
          await client.post("save_weights_for_sampler", { ...ofCall(), sampling_session_seq_id: samplers++ }),
        ),
      sample: async () => (await client.sample(held, 0)).answer,
      logprobs: async () => (await client.sample(held, 0, whole)).answer,
      certainty: async () => client.result(await client.postBytes("whetstone/certainty", reading(""))),
      embed: async () => client.result(await client.postBytes("whetstone/embed", reading("mean"))),
      create_model: async () => client.result(await client.post("create_model", fromNothing())),
      load: async () => {
        const { session_id, model_seq_id } = fromNothing();
        const loaded = { session_id, model_seq_id, path: kept.body.path, optimizer: true };
        return client.result(await client.post("load_weights", loaded));
      },
      load_sampler: async () => (await client.sample(base, 0)).answer,
    };
    for (const [index, name] of verbs.entries()) {
      const call = deadly[name] as () => Promise<Answer>;
      const verb = name === "load" ? "create_model" : name;
      onVictim = 2;
      await client.pass(victim, 1);
      held = await snapshot(victim, 2);
      await server.doom(2 + index, verb);
      // Loading begins when the session is made.
      if (verb === "load_sampler") base = await client.sampler(samplers++, { base_model: modelName });
      const { status, body } = await call();
      expect([status, body], name).toMatchObject([200, { category: "server", code: "worker-died" }]);
      // Why, and the end of what it had said.
      expect(body.error).toMatch(new RegExp(`signal SIGKILL[\\s\\S]*dying in ${verb}\n`));
      // What it held is lost, and every later call on it says so at once.
      for (const [what, later] of [
        ["its model", await client.result(await client.submitStep(victim, ++onVictim))],
        ["its sampler", (await client.sample(held, 1)).answer],
      ] as const)
        expect([later.status, later.body], `${what} after ${name}`).toMatchObject([
          200,
          { code: "worker-died" },
        ]);
      // Nobody else's is, nor is anything half written.
      expect(await client.logprobs(survivor, calls++), name).toEqual(before);
      expect(await readdir(checkpoints), name).toHaveLength(1);
      victim = await newModel();
    }
    // Weights that more than one worker was to hold are loaded again by the next draw.
    if (base !== "") expect((await client.sample(base, 1)).samples?.sequences).toHaveLength(1);
    const { session_id, model_seq_id } = fromNothing();
    const loaded = { session_id, model_seq_id, path: kept.body.path, optimizer: true };
    const again = String((await client.result(await client.post("load_weights", loaded))).body.model_id);
    expect(await client.logprobs(again, 1)).toEqual(before);
    expect(await client.step(beside, 1)).toMatchObject({ "step:max": 1 });
    expect(server.faults).toEqual([]);
    if (base === "")
      return await dyingInCopy(server, [1, 2 + verbs.length], [survivor, beside, victim, again]);
    // At the end, because the first worker merges.
    const adapters = { ...fromNothing(), lora_config: { rank: 2 } };
    const adapter = String((await client.result(await client.post("create_model", adapters))).body.model_id);
    await client.result(await client.post("save_weights", { model_id: adapter, seq_id: 1, path: "adapter" }));
    const [folder] = (await readdir(checkpoints, { recursive: true })).filter((name) =>
      name.endsWith("adapter_config.json"),
    );
    const from = join(checkpoints, dirname(folder ?? ""));
    await server.doom(1, "merge");
    const merging = server.engine.mergeAdapters({ from, to: join(checkpoints, "merged") });
    await expect(merging).rejects.toMatchObject({ category: "engine", code: "worker-died" });
  },
);
