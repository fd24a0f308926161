import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { expect, test } from "vitest";
import { fastArchitectures, plainArchitectures } from "./architectures.ts";

test("the architectures are those of the engine", async () => {
  const config = await readFile(
    join(import.meta.dirname, "../../../torch-engine/whetstone_engine/config.py"),
    "utf8",
  );
  const named = (list: string): string[] => {
    const members = new RegExp(`^${list} = \\(([^)]*)\\)$`, "m").exec(config)?.[1] ?? "";
    return [...members.matchAll(/"([^"]+)"/g)].map(([, name = ""]) => name);
  };
  expect(named("ARCHITECTURES")).toEqual([...fastArchitectures]);
  expect(named("PLAIN_ARCHITECTURES")).toEqual([...plainArchitectures]);
});
