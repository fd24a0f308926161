import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, test, vi } from "vitest";
import type { Engine } from "../../../foundation/contract/index.ts";
import { type ConformanceSubject, conformanceChecks } from "../conformance/index.ts";
import { groups, pinnedTests } from "../conformance/testing/pinned-tests.ts";
import { tiny } from "../index.ts";
import { local } from "../local/index.ts";
import { serveTinker, type TinkerServer } from "../serve/index.ts";
import { tabular } from "../tabular/index.ts";
import { tinker } from "./index.ts";

// A check sends thousands of requests, and shares the machine with other tests.
vi.setConfig({ testTimeout: 120_000 });

/** The client, our server and an engine behind it, while a file's tests run. */
class Chain {
  #folder = "";
  readonly #held: AsyncDisposable[] = [];
  subject!: ConformanceSubject;

  async begin(definition: ReturnType<typeof tabular>): Promise<void> {
    const folder = await mkdtemp(join(tmpdir(), "whetstone-tinker-"));
    this.#folder = folder;
    // A small vocabulary: the kit asks for the probability of every token, one request each.
    const needs = { characters: "0123456789", projectFolder: folder };
    const { path: modelFolder, tokenizer } = await tiny().prepare(folder, needs);
    const inner = this.#hold(await definition.open({ logFolder: folder }));
    const models = { "org/small": modelFolder };
    const parts = { engine: inner, models, stateFolder: join(folder, "state"), key: "tml-k" };
    const { url: baseUrl } = this.#hold<TinkerServer>(await serveTinker(parts));
    const client = tinker({ baseUrl, apiKey: "tml-k", model: "org/small" });
    const engine = this.#hold<Engine>(await client.open({ logFolder: folder }));
    const tokens = [tokenizer.endToken, ...tokenizer.encode(needs.characters)];
    this.subject = { engine, modelFolder, vocabularySize: tokenizer.vocabularySize, tokens, remote: true };
  }

  #hold<T extends AsyncDisposable>(one: T): T {
    this.#held.unshift(one);
    return one;
  }

  async end(): Promise<void> {
    for (const one of this.#held) await one[Symbol.asyncDispose]();
    await rm(this.#folder, { recursive: true });
  }
}

describe("the client of a Tinker server conforms, with our server and the tabular engine behind it", () => {
  const chain = new Chain();
  beforeAll(() => chain.begin(tabular()));
  afterAll(() => chain.end());

  pinnedTests({
    test,
    subject: () => chain.subject,
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

// The whole kit takes minutes here: of it what is short, and what a table has none of, adapters and seeds that decide.
describe("the client conforms with the local engine behind our server", () => {
  const chain = new Chain();
  beforeAll(() => chain.begin(local({ workers: 1 })), 600_000);
  afterAll(() => chain.end());

  for (const { fast, name, run } of conformanceChecks())
    if (fast || /adapter|ranks|seeds draw/.test(name))
      test(name, async () => {
        await run(chain.subject);
      });

  const alike = conformanceChecks().filter(({ name }) => name === "a sampler's logprobs are the trainer's");
  for (const { name, run } of alike)
    test(`of adapters too ${name}`, async () => {
      await run({ ...chain.subject, lora: { rank: 8 } });
    });
});
