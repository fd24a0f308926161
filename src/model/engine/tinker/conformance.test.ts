import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, test } from "vitest";
import type { Engine } from "../../../foundation/contract/index.ts";
import { type ConformanceSubject, conformanceTests } from "../conformance/index.ts";
import { serveTinker, type TinkerServer } from "../serve/index.ts";
import { tabular } from "../tabular/index.ts";
import { tinker } from "./index.ts";

const modelFolder = join(import.meta.dirname, "../../../../examples/models/tiny");

describe("the client of a Tinker server conforms, with our server and the tabular engine behind it", () => {
  let folder: string;
  let inner: Engine;
  let server: TinkerServer;
  let engine: Engine;
  let subject: ConformanceSubject;

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), "whetstone-tinker-"));
    inner = await tabular().open({ logFolder: folder });
    const models = { "org/tiny": modelFolder };
    server = await serveTinker({ engine: inner, models, stateFolder: join(folder, "state"), key: "tml-k" });
    const definition = tinker({ baseUrl: server.url, apiKey: "tml-k", model: "org/tiny" });
    engine = await definition.open({ logFolder: folder });
    subject = { engine, modelFolder, vocabularySize: 48 };
  });
  afterAll(async () => {
    await engine[Symbol.asyncDispose]();
    await server[Symbol.asyncDispose]();
    await inner[Symbol.asyncDispose]();
    await rm(folder, { recursive: true });
  });

  conformanceTests(test, () => subject);
});
