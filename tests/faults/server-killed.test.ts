import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { readdir } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { afterAll, expect, test } from "vitest";
import { type Datum, type Engine, type EngineModel, type ModelSource, tinker } from "../../src/index.ts";
import { modelName, tinyFolder, WireClient } from "../../src/model/engine/serve/testing/wire-client.ts";

const key = "tml-k";
const folder = mkdtempSync(join(tmpdir(), "whetstone-killed-"));
const children: ChildProcess[] = [];
afterAll(() => {
  for (const child of children) child.kill("SIGKILL");
  rmSync(folder, { recursive: true, force: true });
});

async function start(stateFolder: string, verbs: string, port = "0") {
  const script = join(import.meta.dirname, "held-server.ts");
  const child = spawn(process.execPath, [script, stateFolder, port, verbs], {
    stdio: ["ignore", "pipe", "inherit"],
  });
  children.push(child);
  const closed = once(child, "close");
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
  const line = async (): Promise<string> => {
    const { value, done } = await lines.next();
    if (done) throw new Error(`the server ended before it came to ${verbs}`);
    return value;
  };
  const kill = async (): Promise<void> => {
    child.kill("SIGKILL");
    expect(await closed).toEqual([null, "SIGKILL"]);
  };
  return { url: await line(), line, kill };
}

const tokens = Int32Array.of(3, 4, 5, 6);
const data: Datum[] = [{ tokens, targets: tokens, weights: new Float32Array(4).fill(1) }];
const loss = { name: "cross_entropy" } as const;
const requests = [{ prompt: tokens, samples: 1, seed: 1, parameters: { maxTokens: 4 } }];
const source = { kind: "folder", path: tinyFolder } as const;

interface Held {
  readonly engine: Engine;
  /** Of that checkpoint. */
  readonly load: () => Promise<EngineModel>;
  readonly checkpoint: ModelSource;
  readonly folder: string;
}

/** What a client does that brings the server to that verb of its engine. */
const calls: Readonly<Record<string, (held: Held) => Promise<unknown>>> = {
  createModel: ({ load }) => load(),
  loadSampler: async ({ engine, checkpoint }) =>
    (await engine.loadSampler({ source: checkpoint })).sample(requests),
  forward: async ({ load }) => (await load()).forward(data, { loss }),
  forwardBackward: async ({ load }) => (await load()).forwardBackward(data, { loss }),
  optimStep: async ({ load }) => (await load()).optimStep({ learningRate: 0.1 }),
  save: async ({ load, folder: place }) => (await load()).save({ path: join(place, "lost") }),
  snapshot: async ({ load }) => (await load()).snapshot(),
  sample: async ({ load }) => (await (await load()).snapshot()).sample(requests),
  logprobs: async ({ load }) => (await (await load()).snapshot()).logprobs([tokens]),
  score: async ({ load }) => (await (await load()).snapshot()).score?.([tokens], { top: 2 }),
  certainty: async ({ load }) => (await (await load()).snapshot()).certainty?.([tokens]),
  embed: async ({ load }) => (await (await load()).snapshot()).embed?.([tokens], { pooling: "mean" }),
  gradientFeatures: async ({ load }) =>
    (await load()).gradientFeatures?.(data, { loss, dimensions: 8, seed: 1 }),
};

/** What engines may have beyond the API is all in one server. */
const extensions = ["score", "certainty", "embed", "gradientFeatures"];
const others = Object.keys(calls).filter((verb) => !extensions.includes(verb));

test.concurrent.each(
  [...others.map((verb) => [verb]), extensions].map((verbs) => ({ verbs, names: verbs.join(", ") })),
)(
  "a server killed in $names: the client is told, and the next server has all that was saved",
  { timeout: 120_000 },
  async ({ verbs }) => {
    const place = join(folder, verbs.join("-"));
    const stateFolder = join(place, "state");
    const server = await start(stateFolder, verbs.join());
    const open = () =>
      tinker({ baseUrl: server.url, apiKey: key, model: modelName, unreachableMs: 0 }).open({
        logFolder: place,
      });
    await using engine = await open();
    const trained = await engine.createModel({ source });
    await trained.forwardBackward(data, { loss });
    await trained.optimStep({ learningRate: 0.1 });
    const kept = join(place, "kept");
    await trained.save({ path: kept });
    const { logprobs } = await trained.forward(data, { loss });

    const checkpoint = { kind: "checkpoint", path: kept, optimizer: true } as const;
    const load = () => engine.createModel({ source: checkpoint });
    const unreachable = {
      code: "server-unreachable",
      category: "environment",
      message: expect.stringContaining(server.url),
    };
    const answers: Promise<unknown>[] = [];
    for (const verb of verbs) {
      const call = calls[verb] as (held: Held) => Promise<unknown>;
      answers.push(call({ engine, load, checkpoint, folder: place }));
      expect(await server.line()).toBe(`in ${verb}`);
    }
    const told = Promise.allSettled(answers);
    await server.kill();
    expect(await told).toMatchObject(verbs.map(() => ({ status: "rejected", reason: unreachable })));
    await expect(trained.optimStep({ learningRate: 0.1 })).rejects.toMatchObject(unreachable);

    const next = await start(stateFolder, "none", new URL(server.url).port);
    // What was held is gone with the server, and says so.
    await expect(trained.forward(data, { loss })).rejects.toMatchObject({ code: "session-lost" });
    const wire = await new WireClient(next.url, key).open();
    expect((await wire.request("GET", "checkpoints")).body.checkpoints).toHaveLength(1);
    expect(await readdir(join(stateFolder, "checkpoints"))).toHaveLength(1);
    await using later = await open();
    const again = await later.createModel({ source: checkpoint });
    expect((await again.forward(data, { loss })).logprobs).toEqual(logprobs);
    expect(await again.optimStep({ learningRate: 0.1 })).toMatchObject({ step: 2 });
    await next.kill();
  },
);
