import { buildCommand, buildRouteMap } from "@stricli/core";
import type { CliContext } from "./context.ts";
import { describe } from "./describe.ts";
import { check } from "./engine-check-route.ts";
import { type JsonFlags, json } from "./route-parts.ts";

const install = buildCommand<JsonFlags, [], CliContext>({
  loader: async () => (await import("./commands/engine.ts")).install,
  parameters: { flags: { json } },
  docs: {
    brief: "Install the local engine's Python packages, once for all projects",
    fullDescription: describe({
      text: "Makes a virtual environment with PyTorch in the cache folder ($WHETSTONE_CACHE, else ~/.cache/whetstone). A run does\nthe same when it needs it. Ends at once where the engine is installed; may be interrupted and run again.",
      examples: [["whetstone engine install", "about 1.5 GB"]],
    }),
  },
});

const status = buildCommand<JsonFlags, [], CliContext>({
  loader: async () => (await import("./commands/engine.ts")).status,
  parameters: { flags: { json } },
  docs: {
    brief: "Say whether the local engine is installed, where, and what it takes",
    fullDescription: describe({
      text: "Looks, and changes nothing.",
      examples: [["whetstone engine status --json", "for programs"]],
    }),
  },
});

const remove = buildCommand<JsonFlags, [], CliContext>({
  loader: async () => (await import("./commands/engine.ts")).remove,
  parameters: { flags: { json } },
  docs: {
    brief: "Remove the local engine's Python packages from the cache",
    fullDescription: describe({
      text: "Frees its disk space; runs and their checkpoints stay. The next run installs it again.",
      examples: [["whetstone engine remove", "all versions of it"]],
    }),
  },
});

export const engineRoutes = buildRouteMap<string, CliContext>({
  routes: { install, status, remove, check },
  docs: {
    brief: "Install, look at or remove the local engine, or check one",
    fullDescription: describe({
      text: "The local engine is a small Python package around PyTorch, in a virtual environment of its own.",
      examples: [["whetstone engine status", "is it there?"]],
    }),
  },
});
