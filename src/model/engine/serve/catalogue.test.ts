import { randomUUID } from "node:crypto";
import { cp, mkdir, readdir, readFile, rename, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { expect, test } from "vitest";
import type { Clock } from "../../../foundation/base/index.ts";
import { Catalogue } from "./catalogue.ts";
import { temporaryFolder } from "./testing/temporary-folder.ts";
import { served, tinyFolder } from "./testing/wire-client.ts";

const place = { modelId: "s:train:0", folder: "weights", name: "one" } as const;
const path = "tinker://s:train:0/weights/one";
const facts = { baseModel: "org/tiny", lora: null, optimizer: true, step: 3, userMetadata: null };
const forEver = { overwrite: false, ttlSeconds: undefined };
const over = { overwrite: true, ttlSeconds: undefined };

function clockAt(now: number): Clock & { wall: number } {
  return {
    wall: now,
    now() {
      return this.wall;
    },
    monotonic: () => 0,
  };
}

const writing = (content: string) => async (folder: string) => {
  await mkdir(folder);
  await writeFile(join(folder, "weights"), content);
  return { bytes: content.length };
};

test("checkpoints outlive the server, and their time goes on", async () => {
  await using temporary = await temporaryFolder();
  const clock = clockAt(1e12);
  {
    await using catalogue = await Catalogue.open(temporary.path, clock);
    await catalogue.save(place, facts, { overwrite: false, ttlSeconds: 60 }, writing("old"));
  }
  clock.wall += 59_000;
  await using again = await Catalogue.open(temporary.path, clock);
  const { record, folder } = again.find(path);
  expect(record).toMatchObject({ ...facts, bytes: 3, expiresAt: 1e12 + 60_000 });
  expect(await readFile(join(folder, "weights"), "utf8")).toBe("old");
  clock.wall += 1000;
  expect(again.list()).toEqual([]);
  expect(() => again.find(path)).toThrow(expect.objectContaining({ code: "unknown-checkpoint" }));
  await again.sweep();
  expect(await readdir(join(temporary.path, "checkpoints"))).toEqual([]);
});

test("a checkpoint is written over whole or not at all", async () => {
  await using temporary = await temporaryFolder();
  await using catalogue = await Catalogue.open(temporary.path, clockAt(1e12));
  await catalogue.save(place, facts, forEver, writing("old"));
  await expect(catalogue.save(place, facts, forEver, writing("new"))).rejects.toMatchObject({
    code: "checkpoint-exists",
  });
  const full = Object.assign(new Error("no space left"), { code: "ENOSPC" });
  await expect(
    catalogue.save(place, facts, over, async (folder) => {
      await writing("half")(folder);
      throw full;
    }),
  ).rejects.toMatchObject({ code: "no-space", category: "environment" });
  const content = async () => readFile(join(catalogue.find(path).folder, "weights"), "utf8");
  expect(await content()).toBe("old");
  expect(await readdir(join(temporary.path, "checkpoints"))).toHaveLength(1);
  await catalogue.save(place, facts, over, writing("new"));
  expect(await content()).toBe("new");
  expect(await readdir(join(temporary.path, "checkpoints"))).toHaveLength(1);
});

test("what was interrupted goes, and what somebody else put there stays and is not listed", async () => {
  await using temporary = await temporaryFolder();
  const checkpoints = join(temporary.path, "checkpoints");
  const [interrupted, unreadable, ...rest] = Array.from({ length: 6 }, () => randomUUID());
  const [foreign = "", broken = "", traversal = "", beyond = ""] = rest;
  await mkdir(join(checkpoints, String(interrupted), "weights"), { recursive: true });
  await mkdir(join(checkpoints, String(unreadable), "checkpoint.json"), { recursive: true });
  // Such as another program's, in a folder that happens to have this name.
  await mkdir(join(checkpoints, "step-1000"));
  await writeFile(join(checkpoints, "step-1000", "pytorch_model.bin"), "dear");
  for (const [name, content] of Object.entries({
    [foreign]: "{}",
    [broken]: "{ not json",
    [beyond]: JSON.stringify({
      format: 1,
      ...facts,
      path,
      bytes: 1,
      createdAt: 1,
      expiresAt: 1e19,
    }),
    [traversal]: JSON.stringify({
      format: 1,
      ...facts,
      path: "tinker://x/weights/../../y",
      bytes: 1,
      createdAt: 1,
      expiresAt: null,
    }),
  })) {
    await mkdir(join(checkpoints, name));
    await writeFile(join(checkpoints, name, "checkpoint.json"), content);
  }
  await using catalogue = await Catalogue.open(temporary.path, clockAt(1e12));
  expect(catalogue.list()).toEqual([]);
  expect((await readdir(checkpoints)).sort()).toEqual(
    [unreadable, foreign, broken, traversal, beyond, "step-1000"].sort(),
  );
  expect(await readFile(join(checkpoints, "step-1000", "pytorch_model.bin"), "utf8")).toBe("dear");
});

test("of two of one path, left by a server that died while it wrote over one, the newer stays", async () => {
  await using temporary = await temporaryFolder();
  const clock = clockAt(1e12);
  const checkpoints = join(temporary.path, "checkpoints");
  const away = join(temporary.path, "away");
  {
    await using catalogue = await Catalogue.open(temporary.path, clock);
    await catalogue.save(place, facts, forEver, writing("old"));
    const [name = ""] = await readdir(checkpoints);
    await cp(join(checkpoints, name), away, { recursive: true });
    clock.wall += 1;
    await catalogue.save(place, facts, over, writing("new"));
  }
  await rename(away, join(checkpoints, randomUUID()));
  await using again = await Catalogue.open(temporary.path, clock);
  expect(await readFile(join(again.find(path).folder, "weights"), "utf8")).toBe("new");
  await again.delete(path);
  expect(await readdir(checkpoints)).toEqual([]);
});

test("what is saved under a name whose time is up stays, whatever goes meanwhile", async () => {
  await using temporary = await temporaryFolder();
  const clock = clockAt(1e12);
  await using catalogue = await Catalogue.open(temporary.path, clock);
  const brief = { overwrite: false, ttlSeconds: 1 };
  await catalogue.save({ ...place, name: "first" }, facts, brief, async (folder) => {
    await mkdir(folder);
    // So many that it takes a while until they are gone.
    await Promise.all(Array.from({ length: 500 }, (_, index) => writeFile(join(folder, `${index}`), "")));
    return { bytes: 1 };
  });
  await catalogue.save(place, facts, brief, writing("old"));
  clock.wall += 1000;
  const sweeping = catalogue.sweep();
  await catalogue.save(place, facts, forEver, writing("new"));
  await sweeping;
  expect(await readFile(join(catalogue.find(path).folder, "weights"), "utf8")).toBe("new");
});

test("a folder that cannot hold checkpoints is refused in words, as the machine's fault", async () => {
  await using temporary = await temporaryFolder();
  const file = join(temporary.path, "file");
  await writeFile(file, "");
  await expect(Catalogue.open(file, clockAt(1e12))).rejects.toMatchObject({
    code: "in-the-way",
    category: "environment",
  });
  const locked = join(temporary.path, "locked");
  await mkdir(join(locked, "serve.lock"), { recursive: true });
  await expect(Catalogue.open(locked, clockAt(1e12))).rejects.toMatchObject({
    code: "folder-unwritable",
    category: "environment",
  });
});

test("two servers do not share a state folder", async () => {
  await using temporary = await temporaryFolder();
  await using first = await Catalogue.open(temporary.path, clockAt(1e12));
  await expect(Catalogue.open(temporary.path, clockAt(1e12))).rejects.toMatchObject({
    code: "state-folder-in-use",
  });
  expect(first.list()).toEqual([]);
});

test("a checkpoint's name is a word, and never a path", async () => {
  await using one = await served();
  const { client } = one;
  const model = await client.model();
  const names = [
    "../../up",
    "..",
    ".hidden",
    "a/b",
    "a\\b",
    "/etc/passwd",
    "nul\u0000",
    "x".repeat(129),
    "%2e%2e",
    "é",
  ];
  let sequence = 0;
  for (const name of names)
    for (const verb of ["save_weights", "save_weights_for_sampler"]) {
      const answer = await client.result(
        await client.post(verb, { model_id: model, seq_id: ++sequence, path: name }),
      );
      expect(answer.body, name).toMatchObject({ code: "invalid-path", category: "user" });
    }
  for (const bad of [
    "tinker://../weights/x",
    "tinker://a/weights/../x",
    "tinker://a/other/x",
    "file:///etc/passwd",
  ]) {
    const loaded = await client.post("load_weights", {
      session_id: client.session,
      model_seq_id: 1,
      path: bad,
      optimizer: false,
    });
    expect((await client.result(loaded)).body, bad).toMatchObject({ code: "invalid-path", category: "user" });
  }
  for (const bad of ["..%2F..", "..", "%00"])
    expect(
      (await client.request("DELETE", `training_runs/${model}/checkpoints/weights/${bad}`)).status,
    ).toBeGreaterThan(399);
  expect(await client.step(model, sequence + 1)).toMatchObject({ "step:max": 1 });
  expect((await readdir(join(one.folder, "state"))).sort()).toEqual(["checkpoints", "serve.lock"]);
});

test("a checkpoint is loaded with its optimiser and without, listed, and deleted", async () => {
  await using one = await served();
  const { client } = one;
  const model = await client.model();
  await client.pass(model, 1);
  await client.step(model, 2);
  const body = { model_id: model, seq_id: 3, path: "a.b-c_1", ttl_seconds: 100, user_metadata: { by: "me" } };
  const saved = await client.result(await client.post("save_weights", body));
  expect(saved.body).toEqual({ type: "save_weights", path: `tinker://${model}/weights/a.b-c_1` });
  const before = await client.logprobs(model, 4);
  const ids = [];
  for (const [sequence, optimizer] of [true, false].entries()) {
    const loaded = await client.post("load_weights", {
      session_id: client.session,
      model_seq_id: 1 + sequence,
      path: saved.body.path,
      optimizer,
    });
    ids.push(String((await client.result(loaded)).body.model_id));
  }
  const [whole = "", fresh = ""] = ids;
  expect(await client.logprobs(whole, 1)).toEqual(before);
  expect(await client.logprobs(fresh, 1)).toEqual(before);
  for (const [id, sequence] of [
    [model, 5],
    [whole, 2],
    [fresh, 2],
  ] as const)
    await client.step(id, sequence);
  expect(await client.logprobs(whole, 3)).toEqual(await client.logprobs(model, 6));
  expect(await client.logprobs(fresh, 3)).toEqual(before);
  const { body: listed } = await client.request("GET", `training_runs/${model}/checkpoints`);
  expect(listed.checkpoints).toMatchObject([
    { checkpoint_id: "weights/a.b-c_1", checkpoint_type: "training", user_metadata: { by: "me" } },
  ]);
  // What would be no date in a listing is no time to live.
  const ttl = JSON.stringify({ ttl_seconds: Number.MAX_SAFE_INTEGER });
  const far = await client.request("PUT", `training_runs/${model}/checkpoints/weights/a.b-c_1/ttl`, {
    body: ttl,
  });
  expect([far.status, far.body]).toMatchObject([400, { code: "invalid-option" }]);
  expect((await client.request("GET", "checkpoints")).status).toBe(200);
  // One that cannot be written is there all the same.
  const [kept = ""] = await readdir(join(one.folder, "state/checkpoints"));
  const inTheWay = join(one.folder, "state/checkpoints", kept, `checkpoint.json.${process.pid}.writing`);
  await mkdir(inTheWay);
  const unwritten = await client.request("PUT", `training_runs/${model}/checkpoints/weights/a.b-c_1/ttl`, {
    body: JSON.stringify({ ttl_seconds: 100 }),
  });
  expect([unwritten.status, unwritten.body]).toMatchObject([400, { category: "server" }]);
  await rm(inTheWay, { recursive: true });
  const remove = () => client.request("DELETE", `training_runs/${model}/checkpoints/weights/a.b-c_1`);
  expect((await remove()).status).toBe(200);
  expect((await remove()).status).toBe(404);
  const other = await client.result(await client.post("save_weights", { ...body, seq_id: 7, path: null }));
  expect(other.body.path).toBe(`tinker://${model}/weights/000000`);
  // The weights of a model that there is are replaced, as older SDKs ask for it.
  await client.pass(model, 8);
  await client.step(model, 9, 0.5);
  const moved = await client.logprobs(model, 10);
  const reload = { model_id: model, seq_id: 11, path: other.body.path, optimizer: true };
  expect((await client.result(await client.post("load_weights", reload))).body).toMatchObject({
    model_id: model,
  });
  expect(await client.logprobs(model, 12)).not.toEqual(moved);
});

test("what clients say of sessions and runs is told in texts, of which the SDK takes nothing else", async () => {
  await using one = await served();
  const { client } = one;
  const made = await client.post("create_session", { tags: [], user_metadata: { try: 1, by: "me" } });
  const session = await client.request("GET", `sessions/${made.body.session_id}`);
  expect(session.body.user_metadata).toEqual({ try: "1", by: "me" });
  const model = await client.model(0, { user_metadata: { rates: [0.1, 0.2], note: null } });
  const run = await client.request("GET", `training_runs/${model}`);
  expect(run.body.user_metadata).toEqual({ rates: "[0.1,0.2]", note: "null" });
});

test("a checkpoint is sampled from as its own folder says where its model is not served any more", async () => {
  await using temporary = await temporaryFolder();
  const stateFolder = join(temporary.path, "state");
  let saved = "";
  {
    await using before = await served({ stateFolder, models: { "org/old": tinyFolder } });
    const model = await before.client.model(0, { base_model: "org/old" });
    const body = { model_id: model, seq_id: 1, path: "kept" };
    saved = String((await before.client.result(await before.client.post("save_weights", body))).body.path);
  }
  await using after = await served({ stateFolder });
  const sampler = await after.client.sampler(0, { model_path: saved });
  const draw = async (sequence: number, sampling_params: object) =>
    (await after.client.sample(sampler, sequence, { sampling_params })).samples?.sequences[0];
  const ended = await draw(0, { seed: 3 });
  expect([ended?.stopReason, ended?.tokens.at(-1)]).toEqual(["stop", 2]);
  // "e" is the fifth letter, and letters begin at 3.
  expect((await draw(1, { seed: 3, stop: "e" }))?.tokens.at(-1)).toBe(7);
  expect((await draw(2, { seed: 3, stop: [] }))?.tokens).toHaveLength(256 - 2 + 1);
});

test("training runs are listed without those that are still being loaded", async () => {
  const loading = Promise.withResolvers<void>();
  let models = 0;
  await using one = await served({}, (engine) => ({
    name: engine.name,
    capabilities: () => engine.capabilities(),
    createModel: async (options) => {
      models += 1;
      if (models > 1) await loading.promise;
      return engine.createModel(options);
    },
    loadSampler: (options) => engine.loadSampler(options),
    cost: () => engine.cost(),
    [Symbol.asyncDispose]: () => engine[Symbol.asyncDispose](),
  }));
  const { client } = one;
  const first = await client.model(0);
  const second = client.model(1);
  await expect.poll(() => models).toBe(2);
  const listed = async () => {
    const { body } = await client.request("GET", "training_runs");
    return (body.training_runs as { training_run_id: string }[]).map((run) => run.training_run_id);
  };
  expect(await listed()).toEqual([first]);
  loading.resolve();
  const both = [first, await second];
  expect(new Set(await listed())).toEqual(new Set(both));
});

test("a page that cannot be cut is refused in words, in every listing", async () => {
  await using one = await served();
  for (const list of ["sessions", "training_runs", "checkpoints"])
    for (const query of [
      "limit=-1",
      "limit=x",
      "limit=",
      "limit=1.5",
      "offset=-2",
      "limit=9999999999999999",
    ]) {
      const { status, body } = await one.client.request("GET", `${list}?${query}`);
      const [name, value] = query.split("=");
      expect([status, body], `${list}?${query}`).toEqual([
        400,
        {
          error: `"${name}" must be a whole number from 0 up, not "${value}".`,
          category: "user",
          code: "invalid-option",
        },
      ]);
    }
  expect((await one.client.request("GET", "sessions?limit=0")).body).toEqual({ sessions: [] });
});
