import { execFileSync } from "node:child_process";
import { sandboxMissing } from "../index.ts";

/** What untrusted programs run in, for tests: a Debian package where who tests may install one. Throws where it is missing and stays so. */
export function installSandbox(): void {
  if (sandboxMissing() === undefined) return;
  if (process.getuid?.() === 0) {
    execFileSync("apt-get", ["update"], { stdio: "ignore" });
    execFileSync("apt-get", ["install", "--yes", "--no-install-recommends", "bubblewrap", "util-linux"], {
      stdio: "ignore",
    });
  }
  const missing = sandboxMissing();
  if (missing !== undefined) throw new Error(missing);
}
