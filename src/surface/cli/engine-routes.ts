import { buildCommand, buildRouteMap } from "@stricli/core";
import type { InstallFlags } from "./commands/engine.ts";
import type { ServeFlags } from "./commands/serve.ts";
import type { CliContext } from "./context.ts";
import { describe } from "./describe.ts";
import { check } from "./engine-check-route.ts";
import { type JsonFlags, json, number, text, texts } from "./route-parts.ts";

const install = buildCommand<InstallFlags, [], CliContext>({
  loader: async () => (await import("./commands/engine.ts")).install,
  parameters: {
    flags: {
      transformers: {
        kind: "boolean",
        optional: true,
        withNegated: false,
        brief:
          "Also what models of other architectures need, which is otherwise installed with the first of them",
      },
      json,
    },
  },
  docs: {
    brief: "Install the local engine's Python packages, once for all projects",
    fullDescription: describe({
      text: "Makes a virtual environment with PyTorch in the cache folder ($WHETSTONE_CACHE, else ~/.cache/whetstone). A run does\nthe same when it needs it. Ends at once where the engine is installed; may be interrupted and run again.",
      examples: [
        ["whetstone engine install", "about 1.5 GB"],
        ["whetstone engine install --transformers", "0.1 GB more, before it is needed"],
      ],
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

const serve = buildCommand<ServeFlags, [], CliContext>({
  loader: async () => (await import("./commands/serve.ts")).serveCommand,
  parameters: {
    flags: {
      model: texts(
        "NAME=FOLDER",
        "The name that clients ask for, and what it stands for: a Hugging Face folder, adapters of peft, or a name of `whetstone model list`; may be given again",
      ),
      port: number("port", "N", "The port to listen on; default 8000, 0 is any that is free", {
        least: 0,
        whole: true,
      }),
      key: text("KEY", "What clients must send; the Python SDK takes only keys that begin with tml-"),
      host: text(
        "HOST",
        "The interface to listen on; default 127.0.0.1. Beyond this machine a key is needed",
      ),
      engine: text("ENGINE", "local, the default, or tabular: tables instead of networks, without Python"),
      precision: text("PRECISION", "fp32, the default, mixed or bf16"),
      state: text("FOLDER", "Where checkpoints are kept; default .whetstone/serve"),
      json,
    },
  },
  docs: {
    brief: "Serve models to any client of the Tinker API, in the foreground",
    fullDescription: describe({
      text: "Puts the Tinker API in front of the engine: the official Python SDK trains and samples on this machine, with rank 0\nfor all weights. Ctrl-C ends it; checkpoints that clients saved stay, models that they held do not. docs/serve.md\nsays what is served.",
      examples: [
        [
          "whetstone engine serve --model org/tiny=examples/models/tiny --key tml-secret",
          "then TINKER_BASE_URL=http://127.0.0.1:8000 TINKER_API_KEY=tml-secret python my_training.py",
        ],
        [
          "whetstone engine serve --engine tabular --model org/tiny=examples/models/tiny --port 0",
          "without Python",
        ],
      ],
    }),
  },
});

export const engineRoutes = buildRouteMap<string, CliContext>({
  routes: { install, status, remove, check, serve },
  docs: {
    brief: "Install, look at, remove or serve the local engine, or check one",
    fullDescription: describe({
      text: "The local engine is a small Python package around PyTorch, in a virtual environment of its own.",
      examples: [["whetstone engine status", "is it there?"]],
    }),
  },
});
