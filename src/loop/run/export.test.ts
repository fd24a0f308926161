import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { openLedger } from "../../foundation/ledger/index.ts";
import { digestFact, folderDigest } from "../round/folder-digest.ts";
import { run } from "../run.ts";
import { checkCertificate } from "./check-certificate.ts";
import { baseModelOf } from "./export/base-model.ts";
import { exportedConfig } from "./export/config.ts";
import { modelCard } from "./export/model-card.ts";
import { storedType } from "./export/stored-type.ts";
import { exportModel } from "./export.ts";
import { readRun } from "./find-run.ts";
import { rollback } from "./rollback.ts";
import { promotingRun } from "./testing/last-letter.ts";
import { weightsOf } from "./weights.ts";

let folder: string;
let out: string;
/** A run of the tabular engine whose checkpoints look like those of a network. */
beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), "export-"));
  out = mkdtempSync(join(tmpdir(), "exported-"));
  await run(promotingRun(2), { folder });
  await run(promotingRun(1, { name: "observed", gate: { mode: "observe" } }), { folder });
  await run(promotingRun(0, { name: "table", seed: 5 }), { folder });
  for (const name of ["1-letters", "2-observed"]) await disguise(name);
});
async function disguise(run: string): Promise<void> {
  using ledger = openLedger({ folder });
  const checkpoints = join(folder, ".whetstone/checkpoints", run);
  for (const name of readdirSync(checkpoints)) {
    writeFileSync(join(checkpoints, name, "model.safetensors"), `weights of ${name}`);
    writeFileSync(join(checkpoints, name, "chat_template.jinja"), "{{ messages }}");
    rmSync(join(checkpoints, name, "table.safetensors"));
    ledger.setFact(digestFact(`${run}/${name}`), (await folderDigest(join(checkpoints, name))) ?? "");
  }
}
afterAll(() => {
  for (const path of [folder, out]) rmSync(path, { recursive: true });
});
const card = (to: string): string => readFileSync(join(to, "README.md"), "utf8");

describe("exportModel", () => {
  test("writes the champion's files, without what only training needs, and what was shown", async () => {
    const to = join(out, "better");
    const exported = await exportModel({ folder, to, run: "1-letters" });
    expect(exported).toMatchObject({ run: "1-letters", round: 2, path: to });
    expect(readdirSync(to).sort()).toEqual([
      "README.md",
      "certificate.json",
      "chat_template.jinja",
      "config.json",
      "generation_config.json",
      "model.safetensors",
      "tokenizer.json",
      "tokenizer_config.json",
    ]);
    expect(readFileSync(join(to, "model.safetensors"), "utf8")).toMatch(/^weights of round-2-/);
    expect(card(to)).toMatch(/^---\nbase_model: "tiny"\nlibrary_name: transformers\n/);
    expect(card(to)).toContain(
      "# better\n\ntiny, made better at the task *last letter* with rejection sampling",
    );
    expect(card(to)).toMatch(
      /: \*\*\+\d+\.\d points\*\* \(95 % interval \+\d+\.\d to \+\d+\.\d, 64 pairs of answers\)\.\n/,
    );
    expect(card(to)).toMatch(/\| length 5 \| 64 \| \d\.\d % \| \d+\.\d % \|/);
    expect(card(to)).toContain("Anything outside the task *last letter*");
    expect(card(to)).toContain("apply_chat_template");
    expect(card(to)).toContain("It was measured with sampled decoding.");
    expect(card(to)).not.toMatch(/undefined|NaN|\[object/);
  });

  test("names parents, data and the decision with its commitment", async () => {
    const to = join(out, "traced");
    await exportModel({ folder, to, run: "1-letters", which: 2 });
    const [, from = ""] = card(to).split("## Where it comes from");
    const lines = from.trim().split("\n");
    for (const [index, round] of [2, 1, 0].entries()) {
      const line = lines[index] ?? "";
      const [, checkpoint = "", digest] =
        /`(1-letters\/[^`]+)` \(sha256 of its files `(.+?)`\)/.exec(line) ?? [];
      expect(checkpoint).toMatch(new RegExp(`/round-${round}-`));
      expect(digest).toBe(await folderDigest(join(folder, ".whetstone/checkpoints", checkpoint)));
    }
    expect(lines[3]).toBe("- which began with tiny");
    expect(lines[4]).toContain("data: no file");
    expect(lines[5]).toMatch(
      /^- certificate: `certificate\.json` beside this page \(`[0-9a-f]{64}`\): .*; the gate's reason was: better: .+$/,
    );
    const certificate = await checkCertificate({ file: join(to, "certificate.json") });
    expect(certificate).toMatchObject({ verdict: "holds", run: "1-letters", round: 2 });
    expect(lines[5]).toContain(`\`${certificate.hash}\``);
    await exportModel({ folder, to: join(out, "untried"), which: "base", run: "1-letters" });
    // Of a file, and of a model that has a name, the hash is theirs.
    const { events, record } = readRun(folder, "1-letters");
    const named = events.map((stored) =>
      stored.event.type === "run-started"
        ? {
            ...stored,
            event: { ...stored.event, task: { name: "mine", sha256: "f11e" }, model: { sha256: "ba5e" } },
          }
        : stored,
    );
    const told = modelCard({
      record,
      events: named,
      weights: weightsOf(events, 2),
      which: 2,
      title: "mine",
      base: { name: "small", licence: undefined },
      hasTemplate: false,
      digestOf: () => undefined,
      stored: { type: "float32" },
    });
    expect(told).toContain(
      "- which began with small (sha256 `ba5e`)\n- data: the task's file (sha256 `f11e`)\n",
    );
    expect(card(join(out, "untried"))).toContain(
      "certificate: none; these weights were not put before the gate",
    );
  });

  test("says plainly what the gate did not promote, or nobody audited", async () => {
    await exportModel({ folder, to: join(out, "base"), which: "base", run: "1-letters" });
    expect(card(join(out, "base"))).toContain(
      "Nothing is claimed: these weights are what gains are measured against.",
    );
    await exportModel({ folder, to: join(out, "first"), which: 1, run: "1-letters" });
    expect(card(join(out, "first"))).toContain("they were not audited against the base");
    await exportModel({ folder, to: join(out, "observed"), which: "candidate", run: "2-observed" });
    expect(card(join(out, "observed"))).toContain(
      "Nothing is claimed: the gate did not promote these weights.",
    );
    expect(card(join(out, "observed"))).toContain("Decisions were recorded only");
  });

  test("follows a champion that was taken back", async () => {
    await rollback({ folder, run: "1-letters", to: 1 });
    const to = join(out, "back");
    expect(await exportModel({ folder, to, run: "1-letters" })).toMatchObject({ round: 1 });
    expect(card(to)).toContain("the champion was not audited against the base yet");
    expect(card(to)).toContain("A person took the champion back");
  });

  test("goes into an empty folder, and into no other; what cannot be written leaves nothing", async () => {
    const to = (name: string) => exportModel({ folder, to: join(out, name), run: "1-letters" });
    mkdirSync(join(out, "empty"));
    expect((await to("empty")).files).toContain("model.safetensors");
    await expect(to("empty")).rejects.toThrow("is not empty: export into a folder that is not there yet.");
    writeFileSync(join(out, "file"), "mine");
    await expect(to("file")).rejects.toThrow("is a file");
    await expect(to("file/below")).rejects.toMatchObject({ code: "file-unwritable", category: "user" });
    expect((await to("deep/below")).path).toBe(join(out, "deep/below"));
    expect(readFileSync(join(out, "file"), "utf8")).toBe("mine");
    expect(readdirSync(out).filter((name) => name.endsWith(".writing"))).toEqual([]);
  });

  test("refuses weights that are not those that were saved", async () => {
    const to = join(out, "damaged");
    const checkpoints = join(folder, ".whetstone/checkpoints/2-observed");
    for (const name of readdirSync(checkpoints)) {
      const file = join(checkpoints, name, "model.safetensors");
      const before = readFileSync(file);
      writeFileSync(file, "weights of somebody else");
      const exporting = exportModel({ folder, to, run: "2-observed", which: "candidate" });
      if (name.startsWith("round-1-"))
        await expect(exporting).rejects.toMatchObject({ code: "checkpoint-damaged", category: "user" });
      else await exporting;
      writeFileSync(file, before);
      rmSync(to, { recursive: true, force: true });
    }
  });

  test("names what is not there", async () => {
    const to = join(out, "nothing");
    await expect(exportModel({ folder: out, to })).rejects.toMatchObject({ code: "no-run" });
    await expect(exportModel({ folder, to, run: "1-letters", which: 8 })).rejects.toMatchObject({
      code: "no-weights",
    });
    await expect(exportModel({ folder, to })).rejects.toMatchObject({
      code: "not-exportable",
    });
    expect(existsSync(to)).toBe(false);
  });
});

describe("exportedConfig", () => {
  const exported = async (
    config: object,
    type: "float32" | "bfloat16" = "float32",
  ): Promise<Record<string, unknown>> => {
    const path = join(out, "config.json");
    writeFileSync(path, JSON.stringify(config));
    return JSON.parse(await exportedConfig(path, type)) as Record<string, unknown>;
  };

  test("says the type of the weights that lie beside it, under one name", async () => {
    expect(await exported({ model_type: "llama", torch_dtype: "bfloat16", rope_theta: 5 })).toEqual({
      model_type: "llama",
      rope_theta: 5,
      dtype: "float32",
    });
    expect(await exported({ torch_dtype: "float32" }, "bfloat16")).toEqual({ dtype: "bfloat16" });
  });

  test("stretches rotary positions beyond turning where the model has none", async () => {
    const { rope_scaling, rope_parameters } = await exported({
      position_embedding_type: "none",
      rope_theta: 7,
    });
    expect(rope_scaling).toEqual({ rope_type: "linear", factor: 1e30 });
    expect(rope_parameters).toEqual({ rope_type: "linear", factor: 1e30, rope_theta: 7 });
  });

  test("refuses learned positions", async () => {
    await expect(exported({ position_embedding_type: "learned" })).rejects.toMatchObject({
      code: "not-exportable",
    });
  });
});

describe("baseModelOf", () => {
  const given = (model: string, path: string) => ({ model: { name: model, path } });
  const write = (folder: string, name: string, text: string): void => {
    mkdirSync(join(out, folder), { recursive: true });
    writeFileSync(join(out, folder, name), text);
  };

  test("reads the card of the base model's folder", async () => {
    write("model", "README.md", "---\r\nlibrary_name: x\r\nlicense: 'apache-2.0'\r\n---\r\n# license: mit\n");
    expect(await baseModelOf(given("m", "./model"), out)).toEqual({ name: "m", licence: "apache-2.0" });
  });

  test("of a named model what is noted beside it in the store", async () => {
    const environment = { WHETSTONE_CACHE: join(out, "cache") };
    const named = { model: { name: "small", model: "small" } };
    const note = { name: "small", source: { kind: "hub", repository: "someone/Small" }, licence: "mit" };
    write("cache/models/small", "whetstone-model.json", JSON.stringify(note));
    expect(await baseModelOf(named, out, environment)).toEqual({ name: "someone/Small", licence: "mit" });
    write(
      "cache/models/small",
      "whetstone-model.json",
      JSON.stringify({ source: { kind: "file" }, licence: null }),
    );
    expect(await baseModelOf(named, out, environment)).toEqual({ name: "small", licence: undefined });
    write("cache/models/small", "whetstone-model.json", "{");
    expect(await baseModelOf(named, out, environment)).toEqual({ name: "small", licence: undefined });
  });

  test.each([
    "",
    "license: mit\n",
    "---\nlicence: mit\n---\n",
    "---\nlicense:\n- mit\n---\n",
    "---\nlicense: mit\n",
    "---\nlicense: [mit]\n---\n",
  ])("knows no licence from %j", async (text) => {
    write("model", "README.md", text);
    expect(await baseModelOf(given("m", "model"), out)).toEqual({ name: "m", licence: undefined });
  });

  test("knows none where there is no folder", async () => {
    expect(await baseModelOf(given("m", "nowhere"), out)).toEqual({ name: "m", licence: undefined });
    expect(await baseModelOf({ model: { name: "tiny" } }, out)).toEqual({ name: "tiny", licence: undefined });
    expect((await baseModelOf(null, out)).licence).toBeUndefined();
  });
});

describe("storedType", () => {
  const typeOf = async (content: Buffer): Promise<string> => {
    const path = join(out, "weights");
    writeFileSync(path, content);
    return storedType(path);
  };
  const headed = (head: string): Buffer => {
    const length = Buffer.alloc(8);
    length.writeBigUInt64LE(BigInt(head.length));
    return Buffer.concat([length, Buffer.from(head)]);
  };

  test("is what the file's head says, and the common one where it says nothing", async () => {
    expect(await typeOf(headed('{"w": {"dtype": "BF16", "shape": [1]}}'))).toBe("bfloat16");
    expect(await typeOf(headed('{"w": {"dtype": "F32", "shape": [1]}}'))).toBe("float32");
    expect(await typeOf(Buffer.from("half"))).toBe("float32");
    expect(await typeOf(Buffer.from("something else altogether"))).toBe("float32");
  });
});
