import { buildCommand } from "@stricli/core";
import type { GcFlags } from "./commands/gc.ts";
import type { CliContext } from "./context.ts";
import { describe } from "./describe.ts";
import { folder, type JsonFlags, json } from "./route-parts.ts";

const project = folder("A project folder; default here");

/** What keeps a folder's records whole, and small. */
export const verify = buildCommand<JsonFlags, [string?], CliContext>({
  loader: async () => (await import("./commands/verify.ts")).verifyCommand,
  parameters: { flags: { json }, positional: project },
  docs: {
    brief: "Hash everything that a folder's runs stored again, and say what is not what was stored",
    fullDescription: describe({
      text: "The ledger's pages and events, artifacts, and the checkpoints that are there. Changes nothing. The exit code is 2 where\nsomething is damaged or missing. The hash of a run is equal where two runs are equal in all but times and interruptions.",
      examples: [
        ["whetstone verify", "this folder"],
        ["whetstone verify examples/reverse --json", "for programs"],
      ],
    }),
  },
});

export const gc = buildCommand<GcFlags, [string?], CliContext>({
  loader: async () => (await import("./commands/gc.ts")).gcCommand,
  parameters: {
    flags: {
      yes: {
        kind: "boolean",
        optional: true,
        withNegated: false,
        brief: "Remove it; without this nothing is removed",
      },
      json,
    },
    positional: project,
  },
  docs: {
    brief: "Say what nothing refers to any more, and remove it with --yes",
    fullDescription: describe({
      text: "Rejected candidates that no round goes on from, and what an interruption left. Bases, everything that was promoted, the newest\ncandidate and all records stay. Not beside a run.",
      examples: [
        ["whetstone gc", "what would be freed in this folder"],
        ["whetstone gc --yes", "free it"],
      ],
    }),
  },
});
