import { existsSync } from "node:fs";
import { mkdtemp, readdir, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { describe, expect, test } from "vitest";
import { type ParametrisedRun, plan } from "../src/index.ts";

const examples = resolve(import.meta.dirname, "..", "examples");
/** The others hold what runs use: models. */
const names = (await readdir(examples)).filter((name) =>
  existsSync(join(examples, name, "whetstone.config.ts")),
);

describe.each(names)("examples/%s", (name) => {
  test("describes a run for each choice that it leaves open, and every one can be planned", async () => {
    const { default: config } = (await import(join(examples, name, "whetstone.config.ts"))) as {
      default: ParametrisedRun;
    };
    const choices = Object.entries(config.kinds).flatMap(([parameter, kind]) =>
      Array.isArray(kind) ? kind.map((value: string) => ({ [parameter]: value })) : [],
    );
    const titles = new Set<string>();
    for (const given of [{}, ...choices]) {
      const folder = await mkdtemp(join(tmpdir(), "whetstone-example-"));
      const { lines, canaries } = await plan(config.define(given), { folder });
      await rm(folder, { recursive: true });
      titles.add(lines[0] ?? "");
      expect(canaries.wrong).toBeGreaterThan(10);
    }
    // A run of another choice is another line of runs, so that it does not go on from this one's champion.
    expect(titles.size).toBe(1 + choices.length - Object.values(config.kinds).filter(Array.isArray).length);
  });
});
