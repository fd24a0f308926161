import { execFile } from "node:child_process";
import { expect, test } from "vitest";
import { jsonLines, root, temporaryFolder } from "./cli-program.ts";

/** What npm tells the scripts that it runs, and what this test's own runner tells. */
const tellsOfUs =
  /^(npm_(command|execpath|node_execpath|lifecycle_.*|package_.*|config_local_prefix)|INIT_CWD|NODE_(ENV|OPTIONS)|FORCE_COLOR|VITEST.*)$/;

/** As in a shell of the user's: nothing of this project is on the search path. */
const environment = {
  ...Object.fromEntries(Object.entries(process.env).filter(([name]) => !tellsOfUs.test(name))),
  PATH: (process.env.PATH ?? "")
    .split(":")
    .filter((folder) => !folder.includes("node_modules"))
    .join(":"),
};

/** Runs a shell's line; returns what it printed. Throws with all of that when it fails. */
function shell(folder: string, line: string): Promise<string> {
  return new Promise((resolve, reject) => {
    const options = { cwd: folder, env: environment, maxBuffer: 2 ** 26 };
    execFile("bash", ["-c", line], options, (error, stdout, stderr) => {
      if (error === null) resolve(stdout);
      else reject(new Error(`${line}\n${stdout}\n${stderr}`, { cause: error }));
    });
  });
}

test("packed and installed in an empty folder, it writes a config and trains", async () => {
  const folder = temporaryFolder();
  // dist/ is built before the tests; building it again here would race with those who use it.
  const packed = await shell(root, `npm pack --ignore-scripts --json --pack-destination "${folder}"`);
  const [{ files }] = JSON.parse(packed) as [{ readonly files: readonly { readonly path: string }[] }];
  const paths = files.map(({ path }) => path);
  expect(paths).toEqual(
    expect.arrayContaining([
      "bin/whetstone.js",
      "dist/index.js",
      "dist/index.d.ts",
      "dist/testing.js",
      "dist/testing.d.ts",
      "torch-engine/requirements.txt",
    ]),
  );
  expect(
    paths.filter((path) => /\.test\.|\/tests?\/|__pycache__|\.pyc$|\.whetstone|^src\//.test(path)),
  ).toEqual([]);

  await shell(folder, "npm i --prefer-offline --no-audit --no-fund ./whetstone-*.tgz");
  const init = await shell(folder, "npx whetstone init --yes --rounds 1");
  expect(init).toMatch(/^Wrote whetstone\.config\.m?ts\.\n\n {2}npx whetstone plan /);

  // Its whole round is the examples' to play; here it trains until so much is spent.
  const lines = jsonLines(await shell(folder, "npx whetstone run --json --budget tokens=100k"));
  expect(lines.at(-1)).toMatchObject({ type: "result", run: "1-reverse", outcome: "budget-spent" });
  expect(await shell(folder, "npx whetstone status")).toMatch(
    /^Nobody runs here now\.\nreverse: stopped in its preparation/,
  );
  const testing = `import { conformanceChecks } from "whetstone/testing"; console.log(conformanceChecks().length > 60)`;
  expect(await shell(folder, `./node_modules/.bin/node --input-type=module -e '${testing}'`)).toBe("true\n");
  // Started without npx, whatever Node the system has finds the one that came along.
  expect(await shell(folder, "./node_modules/.bin/whetstone plan")).toMatch(/^reverse: 2 models/);
});
