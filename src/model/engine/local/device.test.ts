import { readdirSync } from "node:fs";
import { afterAll, beforeAll, expect, test } from "vitest";
import { deviceToAsk } from "./device.ts";
import { local } from "./local.ts";
import { SmallEngines } from "./testing/small-engine.ts";

let engines: SmallEngines;
beforeAll(async () => {
  engines = await SmallEngines.make();
}, 600_000);
afterAll(() => engines[Symbol.asyncDispose]());

test("a worker is asked for a GPU only where a driver says that there may be one", () => {
  expect(deviceToAsk("auto", () => false)).toBe("cpu");
  expect(deviceToAsk("auto", (path) => path === "/dev/nvidiactl")).toBe("auto");
  expect(deviceToAsk("cuda", () => false)).toBe("cuda");
  expect(deviceToAsk("cpu", () => true)).toBe("cpu");
});

test("what a GPU cannot honour is refused before anything starts", () => {
  expect(() => local({ device: "cuda", deterministic: true })).toThrow(/deterministic.*"cpu"/);
  expect(() => local({ device: "cuda", workers: 2 })).toThrow(/workers.*one/);
  expect(() => local({ device: "gpu" as "cuda" })).toThrow(/"device"/);
  expect(local({ device: "cuda", workers: 1 }).description).toEqual({ workers: 1, device: "cuda" });
  expect(local().description).toEqual({ workers: "auto" });
});

/** Python runs it first: PyTorch then says that there is a GPU, as far as it is asked before anything is computed. */
const gpu = `import torch
torch.cuda.is_available = lambda: True
torch.cuda.get_device_capability = lambda _: (8, 0)
torch.cuda.mem_get_info = lambda _: (2**33, 2**33)
`;

test("a GPU has one worker for all models, and says what is untested", async () => {
  const { engine, logFolder } = await engines.openWith("seen", gpu, { device: "auto" });
  await using _ = engine;
  expect(await engine.capabilities()).toMatchObject({ device: "cuda", workers: 1 });
  expect((await engine.capabilities()).untested.join()).toContain("CUDA on anything but one H100");
  // It is not really there.
  await expect(engines.newModel(1, engine)).rejects.toThrow(/CUDA/);
  await expect(engines.newModel(2, engine)).rejects.toThrow(/CUDA/);
  expect(readdirSync(logFolder)).toHaveLength(1);
});

test("the CPU computes where no GPU is seen; one that is asked for is missed by name", async () => {
  const unseen = "import torch\ntorch.cuda.is_available = lambda: False\n";
  await using without = (await engines.openWith("unseen", unseen, { device: "auto" })).engine;
  const { device, workers, untested } = await without.capabilities();
  expect([device, workers, untested.join().includes("CUDA")]).toEqual(["cpu", 2, false]);
  await using model = await engines.newModel(1, without);
  expect(model.info.step).toBe(0);
  await using missing = (await engines.openWith("missing", unseen, { device: "cuda" })).engine;
  await expect(engines.newModel(1, missing)).rejects.toMatchObject({
    code: "device-missing",
    category: "environment",
  });
});
