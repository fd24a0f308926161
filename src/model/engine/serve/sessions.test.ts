import { expect, test } from "vitest";
import type { Clock } from "../../../foundation/base/index.ts";
import type { Engine } from "../../../foundation/contract/index.ts";
import { Sessions } from "./sessions.ts";
import { AttendedTime } from "./steady-clock.ts";
import { served, WireClient } from "./testing/wire-client.ts";

/** The engine, which counts the models and samplers that it holds. */
function counting(held: { models: number; samplers: number }): (engine: Engine) => Engine {
  return (engine) => ({
    name: engine.name,
    capabilities: () => engine.capabilities(),
    cost: () => engine.cost(),
    [Symbol.asyncDispose]: () => engine[Symbol.asyncDispose](),
    createModel: async (options) => {
      const model = await engine.createModel(options);
      held.models += 1;
      const dispose = model[Symbol.asyncDispose].bind(model);
      model[Symbol.asyncDispose] = async () => {
        held.models -= 1;
        await dispose();
      };
      const snapshot = model.snapshot.bind(model);
      model.snapshot = async (given) => counted(await snapshot(given), held);
      return model;
    },
    loadSampler: async (options) => counted(await engine.loadSampler(options), held),
  });
}

function counted<T extends AsyncDisposable>(sampler: T, held: { samplers: number }): T {
  held.samplers += 1;
  const dispose = sampler[Symbol.asyncDispose].bind(sampler);
  sampler[Symbol.asyncDispose] = async () => {
    held.samplers -= 1;
    await dispose();
  };
  return sampler;
}

/** A clock that only a test moves. */
class HeldClock implements Clock {
  wall = 1.7e12;
  passed = 1000;

  now(): number {
    return this.wall;
  }

  monotonic(): number {
    return this.passed;
  }

  pass(milliseconds: number): void {
    this.wall += milliseconds;
    this.passed += milliseconds;
  }
}

const sweep = 5;
const looked = () => new Promise((resolve) => setTimeout(resolve, 4 * sweep));

test("what a silent client holds is freed, and that of one who beats is kept", async () => {
  const held = { models: 0, samplers: 0 };
  await using one = await served({ times: { silence: 1500, sweep } }, counting(held));
  const { client: silent } = one;
  const beating = await new WireClient(silent.url, silent.key).open();
  const beats = setInterval(
    () => void beating.post("session_heartbeat", { session_id: beating.session }),
    20,
  );
  const [gone, kept] = [await silent.model(), await beating.model()];
  const sampler = await silent.sampler(0, { base_model: "org/tiny" });
  await silent.sample(sampler, 0);
  await silent.result(await saveEphemeral(silent, gone, 1, 1));
  expect(held).toEqual({ models: 2, samplers: 2 });
  await expect.poll(() => held, { timeout: 5000 }).toEqual({ models: 1, samplers: 0 });
  clearInterval(beats);
  expect(await beating.step(kept, 1)).toMatchObject({ "step:max": 1 });
  expect((await silent.post("session_heartbeat", { session_id: silent.session })).status).toBe(410);
  const late = await silent.submitStep(gone, 2);
  expect([late.status, late.body]).toMatchObject([404, { category: "user" }]);
  expect((await silent.post("retrieve_future", { request_id: `${gone}:0` })).status).toBe(410);
});

const saveEphemeral = (
  client: WireClient,
  model: string,
  sequence: number,
  sampler: number,
  kind = "snapshot",
) =>
  client.post("save_weights_for_sampler", {
    model_id: model,
    seq_id: sequence,
    sampling_session_seq_id: sampler,
    kind,
  });

test("a sampler that is made while its session ends goes with it", async () => {
  const held = { models: 0, samplers: 0 };
  let release: () => void = () => undefined;
  const gate = new Promise<void>((resolve) => {
    release = resolve;
  });
  let waiting = 0;
  await using one = await served({}, (engine) => {
    const inner = counting(held)(engine);
    return {
      ...inner,
      createModel: async (options) => {
        const model = await inner.createModel(options);
        const snapshot = model.snapshot.bind(model);
        model.snapshot = async (given) => {
          const made = await snapshot(given);
          waiting += 1;
          await gate;
          return made;
        };
        return model;
      },
    };
  });
  const { client } = one;
  for (const [number, kind] of ["snapshot", "inflight"].entries()) {
    const model = await client.model(number);
    await saveEphemeral(client, model, 1, number, kind);
  }
  await expect.poll(() => waiting).toBe(2);
  const ended = client.post(`sessions/${client.session}/finish`, { reason: { type: "success" } });
  await client.open();
  release();
  expect((await ended).status).toBe(200);
  await expect.poll(() => held, { timeout: 5000 }).toEqual({ models: 0, samplers: 0 });
});

test("a sampler's number that is taken keeps nothing of who asks for it", async () => {
  const held = { models: 0, samplers: 0 };
  await using one = await served({}, counting(held));
  const { client } = one;
  const model = await client.model();
  await client.result(await saveEphemeral(client, model, 1, 7));
  const taken = await client.result(await saveEphemeral(client, model, 2, 7, "inflight"));
  expect(taken.body).toMatchObject({ code: "sequence-conflict" });
  const again = await client.post("create_sampling_session", {
    session_id: client.session,
    sampling_session_seq_id: 7,
    base_model: "org/tiny",
  });
  expect(again.body).toMatchObject({ code: "sequence-conflict" });
  // The snapshot, and the model's newest weights, which go with it.
  await expect.poll(() => held.samplers).toBe(2);
});

test("sessions are listed page by page", async () => {
  await using one = await served();
  const clients = [
    one.client,
    ...(await Promise.all([1, 2].map(() => new WireClient(one.server.url, "k").open()))),
  ];
  const listed = async (query: string) =>
    (await one.client.request("GET", `sessions?${query}`)).body.sessions as string[];
  const pages = [
    await listed("limit=2&offset=0"),
    await listed("limit=2&offset=2"),
    await listed("limit=2&offset=4"),
  ];
  expect(pages.map(({ length }) => length)).toEqual([2, 1, 0]);
  expect(new Set(pages.flat())).toEqual(new Set(clients.map(({ session }) => session)));
});

test("a client that says it is done frees what it held, once", async () => {
  const held = { models: 0, samplers: 0 };
  await using one = await served({}, counting(held));
  const { client } = one;
  const model = await client.model();
  await client.result(await saveEphemeral(client, model, 1, 0));
  expect(held).toEqual({ models: 1, samplers: 1 });
  const finish = (session: string) =>
    client.post(`sessions/${session}/finish`, { reason: { type: "success" }, detail: null });
  expect((await finish(client.session)).status).toBe(200);
  await expect.poll(() => held).toEqual({ models: 0, samplers: 0 });
  expect((await finish(client.session)).status).toBe(200);
  const beat = await client.post("session_heartbeat", { session_id: client.session });
  expect([beat.status, beat.body]).toMatchObject([410, { code: "session-ended" }]);
  expect(beat.body.error).toContain("finished by its client");
  expect((await finish("nobody")).status).toBe(404);
  expect(one.faults).toEqual([]);
});

test("of sessions that have ended the last ones are remembered", () => {
  const sessions = new Sessions(new AttendedTime(new HeldClock(), 1));
  const session = { displayName: null, userMetadata: null, createdAt: 0 };
  for (let number = 0; number <= 10_000; number++) {
    const { id } = sessions.add({ id: String(number), ...session });
    sessions.take(id, "It was over.");
  }
  expect(["0", "1", "10000"].map((id) => sessions.endOf(id))).toEqual([
    undefined,
    "It was over.",
    "It was over.",
  ]);
});

test("setting the machine's clock frees nothing, nor does sleep", async () => {
  const clock = new HeldClock();
  const held = { models: 0, samplers: 0 };
  await using one = await served({ clock, times: { silence: 1000, sweep } }, counting(held));
  const { client } = one;
  const model = await client.model();
  const kept = await client.result(
    await client.post("save_weights", { model_id: model, seq_id: 1, path: "kept", ttl_seconds: 60 }),
  );
  const days = 86_400_000;
  for (const jump of [400 * days, -800 * days, 400 * days]) {
    clock.wall += jump;
    await looked();
  }
  // Asleep for a day: nobody could be heard.
  clock.pass(days / 10_000);
  await looked();
  expect(held.models).toBe(1);
  expect((await client.request("GET", `training_runs/${model}/checkpoints`)).body.checkpoints).toHaveLength(
    1,
  );
  expect((await client.post("weights_info", { tinker_path: kept.body.path })).status).toBe(200);
  // A minute that really passes is a checkpoint's time, asleep or awake.
  clock.pass(61_000);
  expect((await client.post("weights_info", { tinker_path: kept.body.path })).status).toBe(400);
});

test("silence is counted while the server listens", async () => {
  const clock = new HeldClock();
  const held = { models: 0, samplers: 0 };
  await using one = await served({ clock, times: { silence: 100, sweep } }, counting(held));
  await one.client.model();
  clock.pass(1e9);
  await looked();
  expect(held.models).toBe(1);
  const ticking = setInterval(() => clock.pass(sweep), 1);
  await expect.poll(() => held.models, { timeout: 5000 }).toBe(0);
  clearInterval(ticking);
});

test("a model that is never loaded holds up no other session's end", async () => {
  const clock = new HeldClock();
  const held = { models: 0, samplers: 0 };
  let stuck = false;
  await using one = await served({ clock, times: { silence: 100, sweep } }, (engine) => {
    const inner = counting(held)(engine);
    return {
      ...inner,
      createModel: (options) => (stuck ? new Promise(() => {}) : inner.createModel(options)),
    };
  });
  const { url, key, session } = one.client;
  await (await new WireClient(url, key).open()).model();
  stuck = true;
  await one.client.post("create_model", { session_id: session, model_seq_id: 0, base_model: "org/tiny" });
  const ticking = setInterval(() => clock.pass(sweep), 1);
  await expect.poll(() => held.models, { timeout: 5000 }).toBe(0);
  clearInterval(ticking);
});

test("a call waits for the one before it while the server listens", async () => {
  const clock = new HeldClock();
  await using one = await served({ clock, times: { gap: 1000, sweep } });
  const { client } = one;
  const model = await client.model();
  const early = await client.submitStep(model, 2);
  clock.pass(1e9);
  await looked();
  expect(await client.step(model, 1)).toMatchObject({ "step:max": 1 });
  expect((await client.result(early)).body.metrics).toMatchObject({ "step:max": 2 });
});

test("a client that vanishes while its call runs leaves the server as it was, and finds the result later", async () => {
  let release: () => void = () => undefined;
  const gate = new Promise<void>((resolve) => {
    release = resolve;
  });
  await using one = await served({}, (engine) => ({
    ...counting({ models: 0, samplers: 0 })(engine),
    createModel: async (options) => {
      const model = await engine.createModel(options);
      const step = model.optimStep.bind(model);
      model.optimStep = async (given) => {
        await gate;
        return step(given);
      };
      return model;
    },
  }));
  const { client } = one;
  const model = await client.model();
  const { body } = await client.submitStep(model, 1);
  const vanishing = new AbortController();
  const poll = client.post("retrieve_future", { request_id: body.request_id }, vanishing.signal);
  setTimeout(() => vanishing.abort(), 50);
  await expect(poll).rejects.toThrow();
  expect((await client.request("GET", "healthz")).status).toBe(200);
  release();
  expect(await client.step(model, 1)).toMatchObject({ "step:max": 1 });
  expect(one.faults).toEqual([]);
});

test("a poll without a result is held, then made again", async () => {
  await using one = await served({ times: { poll: 60 } });
  const { client } = one;
  const model = await client.model();
  const waiting = await client.submitStep(model, 2);
  const begun = performance.now();
  const { status, body } = await client.post("retrieve_future", { request_id: waiting.body.request_id });
  expect([status, body]).toEqual([
    408,
    { type: "try_again", request_id: waiting.body.request_id, queue_state: "active" },
  ]);
  expect(performance.now() - begun).toBeGreaterThan(50);
  expect((await client.post("retrieve_future", { request_id: "nobody:1" })).status).toBe(404);
});

test("a snapshot is kept until its successor was drawn from and a newer one is there; then it goes", async () => {
  const held = { models: 0, samplers: 0 };
  await using one = await served({}, counting(held));
  const { client } = one;
  const model = await client.model();
  const samplers: string[] = [];
  for (let sequence = 1; sequence <= 3; sequence++) {
    const saved = await client.result(await saveEphemeral(client, model, sequence, sequence));
    samplers.push(String(saved.body.sampling_session_id));
  }
  // Nobody has drawn from the second: all are there.
  expect(held.samplers).toBe(3);
  expect((await client.sample(samplers[0] as string, 0)).samples?.sequences).toHaveLength(1);
  await client.sample(samplers[1] as string, 0);
  await expect.poll(() => held.samplers).toBe(2);
  const { answer } = await client.sample(samplers[0] as string, 1);
  expect(answer.body).toMatchObject({ category: "user", code: "sampler-gone" });
  expect((await client.sample(samplers[1] as string, 1)).samples?.sequences).toHaveLength(1);
});

test("a snapshot that nobody draws from keeps none of the others", async () => {
  const held = { models: 0, samplers: 0 };
  await using one = await served({}, counting(held));
  const { client } = one;
  const model = await client.model();
  for (let sequence = 1; sequence <= 12; sequence++) {
    const saved = await client.result(await saveEphemeral(client, model, sequence, sequence));
    // Every third only is drawn from.
    if (sequence % 3 === 0) await client.sample(String(saved.body.sampling_session_id), 0);
  }
  await expect.poll(() => held.samplers).toBeLessThanOrEqual(4);
});

test("snapshots that nobody draws from at all are bounded, and the newest can be drawn from", async () => {
  const held = { models: 0, samplers: 0 };
  await using one = await served({}, counting(held));
  const { client } = one;
  const model = await client.model();
  const samplers: string[] = [];
  for (let sequence = 1; sequence <= 20; sequence++) {
    const saved = await client.result(await saveEphemeral(client, model, sequence, sequence));
    samplers.push(String(saved.body.sampling_session_id));
  }
  await expect.poll(() => held.samplers).toBe(8);
  for (const sampler of samplers.slice(-8))
    expect((await client.sample(sampler, 0)).samples?.sequences).toHaveLength(1);
  const { answer } = await client.sample(samplers.at(-9) as string, 0);
  expect(answer.body).toMatchObject({ category: "user", code: "sampler-gone" });
  expect(answer.body.error).toContain("newest 8");
});

test("an inflight sampler draws from the newest weights, a snapshot from its own", async () => {
  const held = { models: 0, samplers: 0 };
  await using one = await served({}, counting(held));
  const { client } = one;
  const model = await client.model();
  const of = async (answer: ReturnType<typeof saveEphemeral>) =>
    String((await client.result(await answer)).body.sampling_session_id);
  const snapshot = await of(saveEphemeral(client, model, 1, 0));
  const inflight = await of(saveEphemeral(client, model, 2, 1, "inflight"));
  const scored = async (sampler: string, sequence: number) => {
    const { samples } = await client.sample(sampler, sequence, { prompt_logprobs: true });
    return samples?.promptLogprobs?.[1];
  };
  const before = await scored(snapshot, 0);
  expect(await scored(inflight, 0)).toBe(before);
  await client.pass(model, 3);
  await client.step(model, 4);
  const newer = await of(saveEphemeral(client, model, 5, 2, "inflight"));
  expect(await scored(snapshot, 1)).toBe(before);
  expect(await scored(inflight, 1)).not.toBe(before);
  expect(await scored(newer, 0)).toBe(await scored(inflight, 2));
  expect(held.samplers).toBe(2);
});
