import { buildCommand, buildRouteMap } from "@stricli/core";
import { chat, compare, exportRoute, metrics, rollback, watch } from "./after-run-routes.ts";
import { certificateRoutes } from "./certificate-routes.ts";
import type { InitFlags } from "./commands/init.ts";
import type { ReportFlags } from "./commands/report.ts";
import type { CliContext } from "./context.ts";
import { columns, describe } from "./describe.ts";
import { engineRoutes } from "./engine-routes.ts";
import { exitCodeMeanings } from "./exit-codes.ts";
import { methodRoutes } from "./method-routes.ts";
import { modelRoutes } from "./model-routes.ts";
import { approve, reject } from "./oversight-routes.ts";
import { type BudgetFlags, budget, folder, type JsonFlags, json, text } from "./route-parts.ts";
import { seeds } from "./seeds-route.ts";
import { trace } from "./trace-route.ts";
import { gc, verify } from "./upkeep-routes.ts";

const init = buildCommand<InitFlags, [string?], CliContext>({
  loader: async () => (await import("./commands/init.ts")).initCommand,
  parameters: {
    flags: {
      yes: {
        kind: "boolean",
        optional: true,
        withNegated: false,
        brief: "Ask nothing: what is not given is the default",
      },
      task: text("NAME", "reverse, addition or parity"),
      data: text(
        "FILE",
        "Rows to learn: .jsonl, .json, .csv, .tsv or .parquet, with prompt and answer, or messages",
      ),
      promptColumn: text("NAME", "What the file calls its column of prompts, where it is not prompt"),
      answerColumn: text("NAME", "What the file calls its column of answers, where it is not answer"),
      skip: {
        kind: "boolean",
        optional: true,
        withNegated: false,
        brief: "Go on without the rows of the file that are wrong",
      },
      model: text("MODEL", "tiny, small, smollm2-135m, or the path of a Hugging Face folder"),
      rounds: text("N", "Rounds of the run"),
      json,
    },
    positional: folder("Where the config is written; default here"),
  },
  docs: {
    brief: "Write a config that runs",
    fullDescription: describe({
      text: "Asks which task, which model and how many rounds, and writes whetstone.config.ts (.mts beside a package.json of\nCommonJS). With --data the rows of a file are the task; wrong ones are named first, and what the file can show is said. A\nconfig that is there is only replaced after a yes at the terminal; --yes is not that yes. package.json is written where\nthere is none.",
      examples: [
        ["whetstone init", "three questions"],
        ["whetstone init --yes", "none: a run of a minute or two on a laptop"],
        ["whetstone init --data my.jsonl --yes", "none: a trained model that gets better at your own rows"],
        [
          "whetstone init --data qa.csv --prompt-column question --answer-column solution",
          "of rows whose columns have other names",
        ],
        ["whetstone init sums --task addition --model small --rounds 8", "none, and another run"],
      ],
    }),
  },
});

const plan = buildCommand<BudgetFlags, [string?], CliContext>({
  loader: async () => (await import("./commands/plan.ts")).planCommand,
  parameters: {
    flags: { budget, json },
    positional: folder("A folder with a config, or a config; default here"),
  },
  docs: {
    brief: "Say what a run would do: stages, time, memory, the smallest gain it can show",
    customUsage: ["[--budget CAPS] [--json] [FOLDER] [--PARAMETER VALUE]…"],
    fullDescription: describe({
      text: "Starts nothing, and needs no Python unless a model has to be brought here first. Parameters of the config are given as\nfor `whetstone run`.",
      examples: [
        ["whetstone plan", "of the config in this folder"],
        ["whetstone plan examples/reverse --filter none --json", "of a config with parameters, for programs"],
      ],
    }),
  },
});

const run = buildCommand<BudgetFlags, [string?], CliContext>({
  loader: async () => (await import("./commands/run.ts")).runCommand,
  parameters: {
    flags: { budget, json },
    positional: folder("A folder with a config, or a config; default here"),
  },
  docs: {
    brief: "Run, or go on with the run of a folder",
    customUsage: ["[--budget CAPS] [--json] [FOLDER] [--PARAMETER VALUE]…"],
    fullDescription: describe({
      text: "The same command goes on after any interruption, and needs no flag for it. Ctrl-C ends within seconds, and\nat once when pressed again. Parameters are those that the config names with withParameters();\n`whetstone run FOLDER --help` lists them. With --json: one event a line, the result last.",
      examples: [
        ["whetstone run", "the config in this folder"],
        ["whetstone run examples/reverse --filter none --seed 3", "a config with parameters"],
        ["whetstone run --budget rounds=12,tokens=5M", "more than the config says, now and for this command"],
        ["whetstone run --json > events.jsonl", "for programs"],
      ],
    }),
  },
});

const status = buildCommand<JsonFlags, [string?], CliContext>({
  loader: async () => (await import("./commands/status.ts")).statusCommand,
  parameters: { flags: { json }, positional: folder("A project folder; default here") },
  docs: {
    brief: "Say what the last run has come to, and who runs now",
    fullDescription: describe({
      text: "Reads the ledger beside a run that goes on, and disturbs nothing.",
      examples: [
        ["whetstone status", "of this folder"],
        ["whetstone status examples/reverse --json", "for programs"],
      ],
    }),
  },
});

const report = buildCommand<ReportFlags, [string?], CliContext>({
  loader: async () => (await import("./commands/report.ts")).reportCommand,
  parameters: {
    flags: {
      run: text("RUN", "A run by its name in `whetstone status --json`; default the last one"),
      output: text("PATH", "The file to write; default .whetstone/report.html of the folder"),
      json,
    },
    positional: folder("A project folder; default here"),
  },
  docs: {
    brief: "Write a run's report: one HTML file that opens offline",
    fullDescription: describe({
      text: "Heat map, meters over rounds, decisions and samples. A run writes it at its end too.",
      examples: [
        ["whetstone report", "of the last run in this folder"],
        ["whetstone report examples/reverse --output reverse.html", "into a file of your choice"],
      ],
    }),
  },
});

const doctor = buildCommand<JsonFlags, [string?], CliContext>({
  loader: async () => (await import("./commands/doctor.ts")).doctorCommand,
  parameters: { flags: { json }, positional: folder("A project folder; default here") },
  docs: {
    brief: "Check that this machine and this folder are ready, and say what to do where not",
    fullDescription: describe({
      text: "Changes nothing. The exit code is 2 when a check fails; a warning is no failure.",
      examples: [
        ["whetstone doctor", "this machine and this folder"],
        ["whetstone doctor --json", "for programs"],
      ],
    }),
  },
});

export const routes = buildRouteMap<string, CliContext>({
  routes: {
    init,
    plan,
    run,
    status,
    watch,
    report,
    chat,
    compare,
    seeds,
    export: exportRoute,
    rollback,
    metrics,
    certificate: certificateRoutes,
    trace,
    approve,
    reject,
    verify,
    gc,
    doctor,
    methods: methodRoutes,
    model: modelRoutes,
    engine: engineRoutes,
  },
  docs: {
    brief: "Makes a language model better at something, round after round, and proves every gain",
    fullDescription: [
      "Makes a language model better at something, round after round, by itself, and proves every gain.",
      "",
      "EXAMPLE",
      "  whetstone init --yes && whetstone run && whetstone chat",
      "",
      "EXIT CODES",
      ...columns(exitCodeMeanings),
    ].join("\n"),
  },
});
