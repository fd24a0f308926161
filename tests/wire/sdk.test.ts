import { execFile } from "node:child_process";
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { afterAll, beforeAll, expect, test } from "vitest";
import { type PythonTools, pythonTools } from "../../scripts/python-tools.ts";
import { type Engine, local, tabular, WhetstoneError } from "../../src/index.ts";
import { serveTinker } from "../../src/model/engine/serve/index.ts";

/** The official Python SDK as it is published, and the folder that comes with the project. */
const story = join(import.meta.dirname, "sdk_story.py");
const tiny = join(import.meta.dirname, "../../examples/models/tiny");
const key = "tml-test";
const name = "org/tiny";

let root: string;
let tools: PythonTools;
beforeAll(async () => {
  root = await mkdtemp(join(tmpdir(), "whetstone-sdk-"));
  tools = await pythonTools();
}, 900_000);
afterAll(() => rm(root, { recursive: true, force: true }));

/** What a step is told by that it is to take a while, and that its engine is to die; the SDK has no other words for it. */
const marks = { slow: 123, broken: 321 };
/** Shorter than what is waited for, and longer than ten seconds, in which the SDK beats. */
const times = { poll: 100, silence: 15_000 };

/** The engine, whose steps may be slow, or die. */
function troubled(engine: Engine): Engine {
  const create = engine.createModel.bind(engine);
  return Object.assign(engine, {
    createModel: async (options: Parameters<typeof create>[0]) => {
      const model = await create(options);
      const step = model.optimStep.bind(model);
      return Object.assign(model, {
        optimStep: async (given: Parameters<typeof step>[0]) => {
          if (given.gradientClipNorm === marks.slow)
            await new Promise((resolve) => setTimeout(resolve, 4 * times.poll));
          if (given.gradientClipNorm === marks.broken)
            throw new WhetstoneError({
              code: "worker-died",
              category: "engine",
              message: "The worker died.",
            });
          return step(given);
        },
      });
    },
  });
}

test.concurrent.each([
  { engine: tabular(), length: "full" },
  { engine: local({ workers: 1 }), length: "short" },
])(
  "the unmodified SDK trains, saves and samples: $engine.name",
  { timeout: 180_000 },
  async ({ engine: definition, length }) => {
    const folder = join(root, definition.name);
    await using engine = troubled(await definition.open({ logFolder: join(folder, "logs") }));
    const faults: unknown[] = [];
    await using server = await serveTinker({
      engine,
      models: { [name]: tiny },
      stateFolder: folder,
      key,
      times,
      onFault: (error) => faults.push(error),
    });
    const { topLogprobs, loraRank } = await engine.capabilities();
    const seconds = { poll: times.poll / 1000, silence: times.silence / 1000 };
    const facts = JSON.stringify({ topLogprobs, loraRank, ...seconds, ...marks });
    const { stdout } = await promisify(execFile)(
      tools.python,
      [story, server.url, key, name, length, facts],
      {
        env: { ...tools.environment, HF_HUB_OFFLINE: "1" },
      },
    );
    expect(stdout.trimEnd().split("\n").at(-1)).toBe("told");
    expect(faults).toEqual([]);
  },
);

test.concurrent("the example of docs/serve.md runs, and what it trains it says", {
  timeout: 180_000,
}, async () => {
  const folder = join(root, "docs");
  await using engine = await local({ workers: 1 }).open({ logFolder: join(folder, "logs") });
  const served = { engine, models: { [name]: tiny }, stateFolder: folder };
  await using server = await serveTinker({ ...served, key: "tml-secret" });
  const page = await readFile(join(import.meta.dirname, "../../docs/serve.md"), "utf8");
  const [, example = ""] = /```python\n(.*?)```/s.exec(page) ?? [];
  expect(example).toContain("http://127.0.0.1:8000");
  const program = example.replace("http://127.0.0.1:8000", server.url);
  const { stdout } = await promisify(execFile)(tools.python, ["-c", program], {
    env: { ...tools.environment, HF_HUB_OFFLINE: "1" },
  });
  expect(stdout).toBe("2\n\n");
});
