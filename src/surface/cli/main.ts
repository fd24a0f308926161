/** The command line: `bin/whetstone.js` starts it. */
import { runCli } from "./app.ts";

process.exitCode = await runCli({
  commandLine: process.argv.slice(2),
  standard: process.stdout,
  error: process.stderr,
  environment: process.env,
});
