import type { CommandContext, StricliProcess } from "@stricli/core";
import type { Environment } from "../report/terminal/abilities.ts";
import type { GivenParameters } from "./given-parameters.ts";
import type { Output } from "./output.ts";

export type { Environment };

/** What a command gets from the program around it, as its `this`. */
export interface CliContext extends CommandContext {
  readonly process: StricliProcess;
  readonly output: Output;
  readonly environment: Environment;
  /** What was given as `--name value` and is no flag of the command. */
  readonly parameters: GivenParameters;
}
