import { buildCommand, buildRouteMap } from "@stricli/core";
import type { CliContext } from "./context.ts";
import { describe } from "./describe.ts";
import { argument, type JsonFlags, json } from "./route-parts.ts";

const list = buildCommand<JsonFlags, [], CliContext>({
  loader: async () => (await import("./commands/methods.ts")).methodsCommand,
  parameters: { flags: { json } },
  docs: {
    brief: "List every method: paradigm, reward, cost, source",
    fullDescription: describe({
      text: "By paradigm: what its reward must come from (something outside the model, or its own outputs), what a round costs as a\nmultiple of rejection sampling's, and the paper.",
      examples: [["whetstone methods list --json", "for programs; `whetstone methods --json` is the same"]],
    }),
  },
});

const show = buildCommand<JsonFlags, [string], CliContext>({
  loader: async () => (await import("./commands/methods.ts")).showMethod,
  parameters: { flags: { json }, positional: argument("NAME", "A name that `whetstone methods` shows") },
  docs: {
    brief: "Say what a method is made of, its formula, its defaults, and how to vary it",
    fullDescription: describe({
      text: "Starts nothing. A formula that could be compared with neither the paper's text nor its code is marked [M].",
      examples: [["whetstone methods show star", "one method's page"]],
    }),
  },
});

export const methodRoutes = buildRouteMap<string, CliContext>({
  routes: { list, show },
  defaultCommand: "list",
  docs: {
    brief: "List the methods with which a model improves itself, and show one",
    fullDescription: describe({
      text: "A config names one: optimize: star(). docs/methods.md says which to choose when.",
      examples: [
        ["whetstone methods", "which are there?"],
        ["whetstone methods show grpo", "one method's page"],
      ],
    }),
  },
});
