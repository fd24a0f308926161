import { buildCommand } from "@stricli/core";
import type { TraceFlags } from "./commands/trace.ts";
import type { CliContext } from "./context.ts";
import { describe } from "./describe.ts";
import { folder, json, needed, text } from "./route-parts.ts";

const [place] = folder("A project folder; default here").parameters;

export const trace = buildCommand<TraceFlags, [string, string?], CliContext>({
  loader: async () => (await import("./commands/trace.ts")).traceCommand,
  parameters: {
    flags: {
      run: text("RUN", "A run by its name in `whetstone status --json`; default the last one"),
      json,
    },
    positional: {
      kind: "tuple",
      parameters: [
        needed(
          "CHECKPOINT|EXAMPLE|ANSWER",
          "champion, base, candidate, round-N, a checkpoint's name or path; an example's id; or an answer or prompt that was learnt from",
        ),
        place,
      ],
    },
  },
  docs: {
    brief: "Say where weights, an example or an answer came from, back to the roots",
    fullDescription: describe({
      text: "Draws what was learnt from, who wrote it and what kept it, with token counts, and the share of each round that no model\nwrote. Needs no config and starts nothing. A text that fits several examples lists them.",
      examples: [
        ["whetstone trace champion", "what the champion was made of"],
        ["whetstone trace 4f2a91c03b7d", "an example, by the beginning of its id"],
        ["whetstone trace '\"12=\"'", "by its prompt"],
        ["whetstone trace round-2 examples/reverse --json", "for programs"],
      ],
    }),
  },
});
