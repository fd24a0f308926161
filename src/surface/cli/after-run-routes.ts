import { buildCommand } from "@stricli/core";
import type { ChatFlags } from "./commands/chat.ts";
import type { CompareFlags } from "./commands/compare.ts";
import type { ExportFlags } from "./commands/export.ts";
import type { MetricsFlags } from "./commands/metrics.ts";
import type { RollbackFlags } from "./commands/rollback.ts";
import type { CliContext } from "./context.ts";
import { describe } from "./describe.ts";
import { folder, type JsonFlags, json, needed, number, text } from "./route-parts.ts";

const project = folder("A project folder; default here");
const [place] = project.parameters;
const run = text("RUN", "A run by its name in `whetstone status --json`; default the last one");

/** What is done with a run while it goes on, and afterwards. */
export const watch = buildCommand<JsonFlags, [string?], CliContext>({
  loader: async () => (await import("./commands/watch.ts")).watchCommand,
  parameters: { flags: { json }, positional: project },
  docs: {
    brief: "Show the live view of a run that goes on in another terminal",
    fullDescription: describe({
      text: "Reads the ledger and disturbs nothing. Progress within a stage comes about once a second. Ends with the run, and with its\nexit code; Ctrl-C ends only the watching. With --json: one stored event a line, from the first.",
      examples: [
        ["whetstone watch", "the run in this folder"],
        ["whetstone watch examples/reverse --json", "for programs"],
      ],
    }),
  },
});

export const chat = buildCommand<ChatFlags, [string?], CliContext>({
  loader: async () => (await import("./commands/chat.ts")).chatCommand,
  parameters: {
    flags: {
      prompt: text("TEXT", "One prompt, and no conversation"),
      temperature: number("temperature", "T", "0, the default, is greedy", { least: 0, whole: false }),
      maxTokens: number("max-tokens", "N", "Most tokens of an answer; default 256", {
        least: 1,
        whole: true,
      }),
      run,
      json,
    },
    positional: project,
  },
  docs: {
    brief: "Ask the champion and the base, side by side",
    fullDescription: describe({
      text: "Line by line from the terminal or a pipe; each model keeps its own side of the conversation. /clear forgets it, /quit or\nCtrl-D ends. Models without a chat template take each line as a prompt of its own. Needs no config.",
      examples: [
        ["whetstone chat", "the last run's champion and base"],
        ['whetstone chat --prompt "What is 17 + 25?"', "one question"],
        ["whetstone chat --json < prompts.txt", "a question a line, an answer a line"],
      ],
    }),
  },
});

export const exportRoute = buildCommand<ExportFlags, [string, string?], CliContext>({
  loader: async () => (await import("./commands/export.ts")).exportCommand,
  parameters: {
    flags: {
      which: text("WHICH", "champion (default), base, candidate or round-N"),
      run,
      adapter: {
        kind: "boolean",
        optional: true,
        withNegated: false,
        brief: "Of a run that trains adapters, these alone, as peft reads them; default merged",
      },
      json,
    },
    positional: {
      kind: "tuple",
      parameters: [needed("TO", "The folder to write: not there yet, or empty"), place],
    },
  },
  docs: {
    brief: "Write the champion as a Hugging Face folder, with a model card",
    fullDescription: describe({
      text: "Weights, configuration, tokenizer, chat template, and a README.md with what was shown and what was not. The folder is\nthere whole or not at all.",
      examples: [
        ["whetstone export ./better", "the last run's champion"],
        ["whetstone export ./third --which round-3", "a candidate, promoted or not"],
        ["whetstone export ./small --adapter", "the adapters, a few megabytes, without the model under them"],
      ],
    }),
  },
});

export const compare = buildCommand<CompareFlags, [string, string, string?], CliContext>({
  loader: async () => (await import("./commands/compare.ts")).compareCommand,
  parameters: {
    flags: {
      items: number("items", "N", "Audit items of each part of the task; default 256", {
        least: 2,
        whole: true,
      }),
      harnessA: text("WAY", "How A answers: greedy, sampled, best-of-N or vote-N; default as in the run"),
      harnessB: text("WAY", "How B answers"),
      json,
    },
    positional: {
      kind: "tuple",
      parameters: [
        needed(
          "A",
          "champion, base, candidate, round-N, PROJECT#champion, RUN#round-N, or a checkpoint's folder",
        ),
        needed("B", "The same for the other"),
        { ...place, brief: "A folder with a config, or a config; default here" },
      ],
    },
  },
  docs: {
    brief: "Compare two models, or two ways to answer, on the same fresh items",
    customUsage: [
      "[--items N] [--harness-a WAY] [--harness-b WAY] [--json] A B [FOLDER] [--PARAMETER VALUE]…",
    ],
    fullDescription: describe({
      text: "Both answer the same audit items of the folder's task; the difference comes with a 95 % interval. Paths are relative to\nwhere you are, also where FOLDER is given. Decision items are not touched. Whoever chooses between models by audit items\ncan claim no gain on them any more.",
      examples: [
        ["whetstone compare base champion", "what the run has gained"],
        ["whetstone compare champion champion --harness-b best-of-8", "what eight samples would gain"],
        [
          "whetstone compare round-2 ../other#champion --items 512 --json",
          "with another project's, for programs",
        ],
      ],
    }),
  },
});

export const rollback = buildCommand<RollbackFlags, [string?], CliContext>({
  loader: async () => (await import("./commands/rollback.ts")).rollbackCommand,
  parameters: {
    flags: {
      to: text("WHICH", "base, or round-N that was promoted; default the promotion before the champion's"),
      reason: text("TEXT", "Why, for the report"),
      run,
      json,
    },
    positional: project,
  },
  docs: {
    brief: "Take the champion back to an earlier promotion, on the record",
    fullDescription: describe({
      text: "Later rounds and edited configs go on from there. Nothing is deleted: a later round can be made champion again the same way.\nA round that was under way is given up.",
      examples: [
        ["whetstone rollback", "to the promotion before the champion's"],
        ['whetstone rollback --to round-2 --reason "round 4 forgets dates"', "to a round of your choice"],
      ],
    }),
  },
});

export const metrics = buildCommand<MetricsFlags, [string?], CliContext>({
  loader: async () => (await import("./commands/metrics.ts")).metricsCommand,
  parameters: {
    flags: {
      format: {
        kind: "enum",
        values: ["csv", "jsonl"],
        optional: true,
        brief: "Default csv, or what the name of --out says",
      },
      out: text("FILE", "The file to write; default standard output"),
      run: text("RUN", "A run by its name; default all of the folder"),
      json,
    },
    positional: project,
  },
  docs: {
    brief: "Write every number of the runs as a table",
    fullDescription: describe({
      text: "Tidy: a row a number, with its run, round, kind, measure, part and interval, in the order in which it was stored.",
      examples: [
        ["whetstone metrics --out metrics.csv", "for a spreadsheet"],
        ["whetstone metrics --format jsonl", "for programs"],
      ],
    }),
  },
});
