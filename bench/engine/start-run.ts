/** The example's run in the folder that is given, ended with status 0 when the first answers of its model are there. */
import { run } from "whetstone";
import example from "../../examples/smollm/whetstone.config.ts";

const sampled = new AbortController();
await run(example.define({}), {
  folder: process.argv[2] as string,
  signal: sampled.signal,
  watch: (event) => {
    if ("event" in event || event.stage === "set-up" || event.stage === "engine") return;
    if (event.done > 0) sampled.abort();
  },
});
process.exitCode = sampled.signal.aborted ? 0 : 1;
