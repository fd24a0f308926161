import { buildCommand } from "@stricli/core";
import type { CliContext } from "./context.ts";
import { describe } from "./describe.ts";
import { type JsonFlags, json } from "./route-parts.ts";

export const seeds = buildCommand<JsonFlags, string[], CliContext>({
  loader: async () => (await import("./commands/seeds.ts")).seedsCommand,
  parameters: {
    flags: { json },
    positional: {
      kind: "array",
      minimum: 2,
      parameter: {
        brief: "Project folders, each with a finished run of its own seed",
        parse: (input: string): string => input,
        placeholder: "FOLDER",
      },
    },
  },
  docs: {
    brief: "Say how far runs of one configuration are apart under several seeds",
    fullDescription: describe({
      text: "Reads the last run of each folder; they must be of one configuration but for the seed. Says what each came to, and mean,\nstandard deviation and range over the seeds. Starts nothing.",
      examples: [
        ["whetstone seeds seed-1 seed-2 seed-3", "of three folders"],
        ["whetstone seeds seed-* --json", "for programs"],
      ],
    }),
  },
});
