import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { environmentName, otherEnvironments } from "./other-environments.ts";

const wanted = "torch==2.13.0\n";

let engines: string;
let requirements: string;
beforeEach(() => {
  engines = mkdtempSync(join(tmpdir(), "other-environments-"));
  requirements = join(engines, "requirements.txt");
  writeFileSync(requirements, wanted);
});
afterEach(() => rmSync(engines, { recursive: true }));

/** What a finished installation leaves. */
function made(packages: string, version: string, { python = true, marker = "" } = {}): string {
  const place = join(engines, environmentName(packages, version));
  const folder = join(place, "environment-1");
  mkdirSync(join(folder, "bin"), { recursive: true });
  if (python) writeFileSync(join(folder, "bin", "python"), "");
  const content = { environment: "environment-1", versions: { torch: "2.13.0" }, base: baseOf(version) };
  writeFileSync(join(place, "installed.json"), marker || JSON.stringify(content));
  return folder;
}

const baseOf = (version: string) => ({ path: `/opt/${version}/bin/python3`, version });
const look = () =>
  otherEnvironments({ engines, folder: join(engines, environmentName(wanted, "3.11.7")), requirements });

test("those of other Pythons come first, then those of other packages; not the one that is used", async () => {
  made(wanted, "3.11.7");
  const packages = made("torch==2.12.0\n", "3.11.7");
  const python = made(wanted, "3.12.1");
  expect(await look()).toEqual([
    { folder: python, base: baseOf("3.12.1"), versions: { torch: "2.13.0" }, fits: true },
    { folder: packages, base: baseOf("3.11.7"), versions: { torch: "2.13.0" }, fits: false },
  ]);
});

test("what is not whole is none: no marker that can be read, or its Python has left", async () => {
  made(wanted, "3.12.1", { python: false });
  made(wanted, "3.13.0", { marker: "{" });
  made(wanted, "3.13.1", { marker: '{ "environment": "environment-1" }' });
  expect(await look()).toEqual([]);
  rmSync(engines, { recursive: true });
  mkdirSync(engines);
  expect(await otherEnvironments({ engines: join(engines, "none"), folder: "", requirements })).toEqual([]);
});
