/** The command line: `bin/whetstone.js` starts it. */
import { setFlagsFromString } from "node:v8";
import { runCli } from "./app.ts";

// The brain shares the machine with the engine's workers, and waits most of the time: its heap grows by little.
setFlagsFromString("--semi-space-growth-factor=1");
setFlagsFromString("--heap-growing-percent=30");
process.exitCode = await runCli({
  commandLine: process.argv.slice(2),
  standard: process.stdout,
  error: process.stderr,
  environment: process.env,
});
