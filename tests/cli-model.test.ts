import { existsSync, truncateSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { smallModel } from "../src/model/hub/gguf/testing/small-model.ts";
import { ggufBytes } from "../src/model/hub/gguf/testing/write-gguf.ts";
import { jsonLines, quickConfig, temporaryFolder, whetstone } from "./cli-program.ts";

/** A folder with a small model's GGUF file, and a cache of its own. */
function prepared(config?: string) {
  const folder = temporaryFolder(config);
  writeFileSync(join(folder, "small.gguf"), ggufBytes(smallModel));
  const environment = { WHETSTONE_CACHE: join(folder, "cache"), HF_ENDPOINT: "http://127.0.0.1:9" };
  return {
    folder,
    model: (...line: string[]) => whetstone(["model", ...line], { folder, environment }),
    command: (...line: string[]) => whetstone(line, { folder, environment }),
  };
}

test.concurrent("a model is imported, listed, named by a config, and removed", async () => {
  const options = 'model: "mine", gate: { mode: "observe" },';
  const { folder, model, command } = prepared(
    quickConfig({ options })
      .replace(/ {2}gate: .*\n/, "")
      .replace("reverse({", 'reverse({ alphabet: "ab", '),
  );
  const before = await model("list");
  expect(before).toMatchObject({ code: 0, stderr: "" });
  expect(before.stdout).toBe(
    "smollm2-135m  134.5 million parameters, licence apache-2.0; not here yet: `whetstone model pull smollm2-135m`\n",
  );
  const imported = await model("import", "small.gguf", "--name", "mine");
  expect(imported.code).toBe(0);
  expect(imported.stdout).toMatch(
    /^mine is here: 2,016 parameters, \d+ kB, licence mit\.\nA config names it: model: "mine"\.\n$/,
  );
  expect(imported.stderr).toContain("converting the weights\n");
  const [{ models } = {}] = jsonLines((await model("list", "--json")).stdout);
  expect(models).toMatchObject([
    {
      ...{ name: "mine", state: "here", parameters: 2016, licence: "mit", bytes: expect.any(Number) },
      source: { kind: "file", path: join(folder, "small.gguf") },
    },
    { name: "smollm2-135m", state: "not here", repository: "HuggingFaceTB/SmolLM2-135M-Instruct" },
  ]);
  const plan = await command("plan");
  expect(plan.stderr).toBe("");
  expect(plan.stdout).toMatch(/^quick: one model of 2,016 parameters/);
  const [removed] = jsonLines((await model("remove", "mine", "--json")).stdout);
  expect(removed).toEqual({ name: "mine", bytes: expect.any(Number) });
  expect(existsSync(join(folder, "cache", "models", "mine"))).toBe(false);
  // Not known any more, it is taken for a folder's name.
  const gone = await command("plan");
  expect(gone).toMatchObject({ code: 3, stderr: expect.stringContaining("There is no model mine;") });
});

test.concurrent("files that are no models get a sentence", async () => {
  const { folder, model } = prepared();
  writeFileSync(join(folder, "notes.gguf"), "Dear diary");
  truncateSync(join(folder, "small.gguf"), 3000);
  const cases = [
    ["notes.gguf", /notes\.gguf does not begin with GGUF/],
    ["small.gguf", /small\.gguf is cut off: it ends after 3,000 bytes/],
    ["nowhere.gguf", /There is no file or folder .*nowhere\.gguf/],
    [".", /has no config\.json: it is not a model's folder\. Name the GGUF file in it instead/],
  ] as const;
  for (const [path, sentence] of cases) {
    const { code, stdout, stderr } = await model("import", path, "--name", "x");
    expect({ path, code, stdout }).toEqual({ path, code: 3, stdout: "" });
    expect(stderr.split("\n").at(-2)).toMatch(sentence);
  }
});

test.concurrent("offline, with nothing here, it says what to do", async () => {
  const { folder } = prepared();
  const environment = {
    WHETSTONE_CACHE: join(folder, "cache"),
    WHETSTONE_PYTHON: "/nowhere/python3",
    HF_ENDPOINT: "http://127.0.0.1:9",
  };
  const { code, stderr } = await whetstone(["model", "pull", "smollm2-135m"], { folder, environment });
  expect(code).toBe(2);
  expect(stderr).toMatch(/`whetstone model import PATH --name smollm2-135m`\.\n$/);
  const json = await whetstone(["model", "pull", "smollm2-135m", "--json"], { folder, environment });
  expect(jsonLines(json.stdout)).toMatchObject([{ error: { code: "model-unreachable" } }]);
});
