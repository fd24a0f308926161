import {
  type ApplicationText,
  ArgumentScannerError,
  formatMessageForArgumentScannerError,
  text_en,
} from "@stricli/core";
import { messageOf, nearest } from "../../foundation/base/index.ts";

/** What is said where a command line cannot be read; each is one sentence, or two. */
export const texts: ApplicationText = {
  ...text_en,
  briefs: {
    ...text_en.briefs,
    help: "Print this",
    version: "Print the version",
    argumentEscapeSequence: "What follows is no flag",
  },
  noCommandRegisteredForInput: ({ input, corrections }) =>
    input.startsWith("-")
      ? noFlag(input, nearest(input, ["--help", "--version"]))
      : `There is no command ${input}; ${suggestion(corrections[0]) ?? "`whetstone --help` lists them."}`,
  exceptionWhileParsingArguments: (error) =>
    error instanceof ArgumentScannerError
      ? formatMessageForArgumentScannerError(error, {
          FlagNotFoundError: ({ input, corrections: [name] }) =>
            noFlag(`--${input}`, name === undefined ? name : `--${name}`),
          ArgumentParseError: ({ exception }) => messageOf(exception),
          EnumValidationError: ({ externalFlagName: name, input, values }) =>
            `--${name} cannot be "${input}"; it is ${values.join(" or ")}.`,
          AliasNotFoundError: ({ input }) => noFlag(`-${input}`),
          UnsatisfiedFlagError: ({ externalFlagName: name }) => `--${name} needs a value: --${name} VALUE.`,
          UnexpectedFlagError: ({ externalFlagName: name }) => `--${name} is given twice.`,
          UnexpectedPositionalError: ({ input, expectedCount }) =>
            expectedCount === 0
              ? `This command takes no argument, and "${input}" is one.`
              : expectedCount === 1
                ? `This command takes one argument; "${input}" is one too many.`
                : `This command takes ${expectedCount} arguments; "${input}" is one too many.`,
          UnsatisfiedPositionalError: ({ placeholder }) =>
            `${placeholder} is missing: \`--help\` after the command shows an example.`,
        })
      : messageOf(error),
};

function noFlag(flag: string, meant?: string): string {
  return `There is no flag ${flag}; ${suggestion(meant) ?? "`--help` after the command lists them."}`;
}

function suggestion(meant: string | undefined): string | undefined {
  return meant === undefined ? undefined : `did you mean ${meant}?`;
}
