import { execFile } from "node:child_process";
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { afterAll, beforeAll, expect, test } from "vitest";
import { type PythonTools, pythonTools } from "../../scripts/python-tools.ts";
import { local, tabular } from "../../src/index.ts";
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

test.concurrent.each([
  { engine: tabular(), length: "full" },
  { engine: local({ workers: 1 }), length: "short" },
])(
  "the unmodified SDK trains, saves and samples: $engine.name",
  { timeout: 180_000 },
  async ({ engine: definition, length }) => {
    const folder = join(root, definition.name);
    await using engine = await definition.open({ logFolder: join(folder, "logs") });
    const faults: unknown[] = [];
    await using server = await serveTinker({
      engine,
      models: { [name]: tiny },
      stateFolder: folder,
      key,
      onFault: (error) => faults.push(error),
    });
    const { topLogprobs, loraRank } = await engine.capabilities();
    const facts = JSON.stringify({ topLogprobs, loraRank });
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

test("the example of docs/serve.md runs, and what it trains it says", { timeout: 180_000 }, async () => {
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
