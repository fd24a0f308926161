import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, test } from "vitest";
import type { Engine } from "../../../foundation/contract/index.ts";
import type { ConformanceSubject } from "../conformance/index.ts";
import { groups, pinnedTests } from "../conformance/testing/pinned-tests.ts";
import { tiny } from "../index.ts";
import { tabular } from "./index.ts";

/** Where every sequence of the kit has rows of its own, and where most share them. */
describe.each([{ horizon: 64 }, { horizon: 4, backOff: 2 }])(
  "the tabular engine, %o, conforms",
  (options) => {
    let folder: string;
    let engine: Engine;
    let subject: ConformanceSubject;

    beforeAll(async () => {
      folder = await mkdtemp(join(tmpdir(), "whetstone-tabular-"));
      const needs = { characters: "0123456789=", projectFolder: folder };
      const { path, tokenizer } = await tiny().prepare(folder, needs);
      const another = () => tabular(options).open({ logFolder: folder });
      engine = await another();
      const tokens = [tokenizer.endToken, ...tokenizer.encode(needs.characters)];
      subject = { engine, another, modelFolder: path, vocabularySize: tokenizer.vocabularySize, tokens };
    });
    afterAll(async () => {
      await engine[Symbol.asyncDispose]();
      await rm(folder, { recursive: true });
    });

    pinnedTests({
      test,
      subject: () => subject,
      excused: () => [
        ...groups.adapters,
        ...groups.architectures,
        "a mean embedding is the mean of the last ones of all prefixes",
      ],
    });
  },
);
