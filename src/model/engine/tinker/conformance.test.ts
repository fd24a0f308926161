import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, test, vi } from "vitest";
import type { Engine } from "../../../foundation/contract/index.ts";
import type { ConformanceSubject } from "../conformance/index.ts";
import { groups, pinnedTests } from "../conformance/testing/pinned-tests.ts";
import { tiny } from "../index.ts";
import { serveTinker, type TinkerServer } from "../serve/index.ts";
import { tabular } from "../tabular/index.ts";
import { tinker } from "./index.ts";

// A check sends thousands of requests, and shares the machine with other tests.
vi.setConfig({ testTimeout: 120_000 });

describe("the client of a Tinker server conforms, with our server and the tabular engine behind it", () => {
  let folder: string;
  let inner: Engine;
  let server: TinkerServer;
  let engine: Engine;
  let subject: ConformanceSubject;

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), "whetstone-tinker-"));
    // A small vocabulary: the kit asks for the probability of every token, one request each.
    const needs = { characters: "0123456789", projectFolder: folder };
    const { path: modelFolder, tokenizer } = await tiny().prepare(folder, needs);
    inner = await tabular().open({ logFolder: folder });
    const models = { "org/small": modelFolder };
    server = await serveTinker({ engine: inner, models, stateFolder: join(folder, "state"), key: "tml-k" });
    const definition = tinker({ baseUrl: server.url, apiKey: "tml-k", model: "org/small" });
    engine = await definition.open({ logFolder: folder });
    const tokens = [tokenizer.endToken, ...tokenizer.encode(needs.characters)];
    subject = { engine, modelFolder, vocabularySize: tokenizer.vocabularySize, tokens, remote: true };
  });
  afterAll(async () => {
    await engine[Symbol.asyncDispose]();
    await server[Symbol.asyncDispose]();
    await inner[Symbol.asyncDispose]();
    await rm(folder, { recursive: true });
  });

  pinnedTests({
    test,
    subject: () => subject,
    excused: () => [
      ...groups.adapters,
      ...groups.architectures,
      "a mean embedding is the mean of the last ones of all prefixes",
      // Checkpoints are out of sight, and there is one server.
      "the gradient of every weight is its finite difference",
      "the same calls give the same bits in another engine",
    ],
  });
});
