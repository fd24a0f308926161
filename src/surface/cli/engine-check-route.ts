import { buildCommand } from "@stricli/core";
import type { CheckFlags } from "./commands/check.ts";
import type { CliContext } from "./context.ts";
import { describe } from "./describe.ts";
import { argument, json, number, text } from "./route-parts.ts";

export const check = buildCommand<CheckFlags, [string], CliContext>({
  loader: async () => (await import("./commands/check.ts")).checkCommand,
  parameters: {
    flags: {
      model: text(
        "MODEL",
        "A folder, adapters of peft, or a name of `whetstone model list`; default a small model made on the spot. Of a server its name there, or NAME=FOLDER",
      ),
      key: text("KEY", "What the server wants to be sent; default $TINKER_API_KEY"),
      precision: text("PRECISION", "fp32, the default, mixed or bf16"),
      lora: number("lora", "RANK", "Give every model adapters of this rank", { least: 1, whole: true }),
      deterministic: {
        kind: "boolean",
        optional: true,
        withNegated: false,
        brief: "Open local so that equal calls give equal bits, and check that they do",
      },
      fast: {
        kind: "boolean",
        optional: true,
        withNegated: false,
        brief: "Only the short part, which tells whether training and sampling can be relied on",
      },
      json,
    },
    positional: argument("ENGINE", "local, tabular, or the address of a Tinker server"),
  },
  docs: {
    brief: "Run the conformance kit on an engine, and print what was measured",
    fullDescription: describe({
      text: "Each check is a promise of every engine: what was measured, the tolerance that the engine states, and the verdict. The\nexit code is 4 when a check fails; docs/engines.md says what each is about.",
      examples: [
        ["whetstone engine check tabular --fast", "without Python, in seconds"],
        [
          "whetstone engine check http://127.0.0.1:8000 --key tml-secret --model org/tiny",
          "a Tinker server, such as `whetstone engine serve`",
        ],
        ["whetstone engine check local --deterministic", "equal bits of equal calls too"],
        ["whetstone engine check local --precision mixed --json", "for programs"],
      ],
    }),
  },
});
