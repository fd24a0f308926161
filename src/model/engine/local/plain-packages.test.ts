import { mkdtemp, readdir, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { basename, join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { runCommand } from "./index.ts";
import { installPlainPackages } from "./plain-packages.ts";
import { findPython } from "./python.ts";

/** An environment and packages as small as can be: what is tested is their care, not transformers. */
let folder: string;
let python: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "whetstone-plain-"));
  const { path } = await findPython({ environment: process.env });
  const { code } = await runCommand(path, ["-m", "venv", join(folder, "environment")], {
    environment: process.env,
  });
  expect(code).toBe(0);
  python = join(folder, "environment", "bin", "python");
}, 120_000);
afterAll(() => rm(folder, { recursive: true }));

const place = () => ({ python, folder: join(folder, "environment") });
const packagesThere = async (): Promise<string[]> =>
  (await readdir(place().folder)).filter((name) => name.startsWith("plain-packages-"));

test("the packages of the plain path are installed once, also by two at once, and anew for another list", async () => {
  const requirements = join(folder, "requirements.txt");
  await writeFile(requirements, "# nothing yet\n");
  const told: string[] = [];
  const options = { requirements, onProgress: (label: string) => told.push(label) };
  const [first, second] = await Promise.all([
    installPlainPackages(place(), options),
    installPlainPackages(place(), options),
  ]);
  expect(second).toBe(first);
  expect(told.filter((label) => label === "transformers is installed")).toHaveLength(1);
  expect(told.some((label) => label.startsWith("waiting: another process"))).toBe(true);
  told.length = 0;
  expect(await installPlainPackages(place(), options)).toBe(first);
  expect(told).toEqual([]);
  await writeFile(requirements, "# another list\n");
  const other = await installPlainPackages(place(), options);
  expect(other).not.toBe(first);
  expect(await packagesThere()).toEqual([basename(other)]);
}, 120_000);

test("packages that cannot be installed say so, and leave nothing that looks whole", async () => {
  const requirements = join(folder, "wrong.txt");
  await writeFile(requirements, `${join(folder, "no-such-package.whl")}\n`);
  await expect(installPlainPackages(place(), { requirements })).rejects.toMatchObject({
    code: "engine-install-failed",
    category: "environment",
    message: expect.stringMatching(/computed by transformers[\s\S]*no-such-package\.whl/),
  });
  expect(await packagesThere()).toEqual([]);
}, 120_000);
