/** Lints all Python and tests torch-engine/ with the engine's own interpreter; arguments go to pytest. */
import { spawnSync } from "node:child_process";
import { join } from "node:path";
import { pythonTools } from "./python-tools.ts";

const { python, environment } = await pythonTools();
const lint = ["--no-cache", "--quiet", "--config", "pyproject.toml", ".", "../bench", "../tests"];
const checks = [
  ["ruff", "check", ...lint],
  ["ruff", "format", "--check", ...lint],
  ["pytest", "-q", "-p", "no:cacheprovider", ...process.argv.slice(2)],
];
for (const [module = "", ...options] of checks) {
  const { status } = spawnSync(python, ["-m", module, ...options], {
    cwd: join(import.meta.dirname, "..", "torch-engine"),
    env: environment,
    stdio: "inherit",
  });
  // Later checks still run: what one finds does not hide what the next would.
  if (status !== 0) process.exitCode = 1;
}
