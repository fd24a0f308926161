import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { ownDependency } from "./own-dependency.ts";

let root: string;
let project: string;
beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), "own-dependency-"));
  project = join(root, "project");
});
afterEach(() => rmSync(root, { recursive: true }));

/** A copy that npm installed, and what npm wrote down of it. */
function installed(resolved?: string): string {
  const modules = join(root, "tools", "node_modules");
  mkdirSync(join(modules, "whetstone"), { recursive: true });
  const record = { version: "1.2.3", ...(resolved === undefined ? {} : { resolved }) };
  writeFileSync(
    join(modules, ".package-lock.json"),
    JSON.stringify({ packages: { "node_modules/whetstone": record } }),
  );
  return join(modules, "whetstone");
}

test("a checkout is the dependency itself, relative to the project", () => {
  expect(ownDependency(project, join(root, "whetstone"))).toBe("file:../whetstone");
});

test.each([["https://registry.npmjs.org/whetstone/-/whetstone-1.2.3.tgz"], [undefined]])(
  "what the registry gave (%s) is its version",
  (resolved) => {
    expect(ownDependency(project, installed(resolved))).toBe("1.2.3");
  },
);

test("what came from a packed file is that file, as long as it is there", () => {
  const own = installed("file:../whetstone-1.2.3.tgz");
  expect(ownDependency(project, own)).toBeUndefined();
  writeFileSync(join(root, "whetstone-1.2.3.tgz"), "");
  expect(ownDependency(project, own)).toBe("file:../whetstone-1.2.3.tgz");
});

test("what came from another address is that address", () => {
  const address = "https://example.org/downloads/whetstone.tgz";
  expect(ownDependency(project, installed(address))).toBe(address);
});

test("of a copy that npm kept no record of nothing is known", () => {
  expect(ownDependency(project, join(root, "lib", "node_modules", "whetstone"))).toBeUndefined();
});
