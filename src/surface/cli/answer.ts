import { isWhetstoneError, messageOf } from "../../foundation/base/index.ts";
import type { CliContext } from "./context.ts";
import { exitCodeOf } from "./exit-codes.ts";

/** Does a command's work; an error becomes one sentence (or one JSON object) and an exit code. */
export async function answer(
  context: CliContext,
  json: boolean | undefined,
  work: () => Promise<number>,
): Promise<void> {
  try {
    context.process.exitCode = await work();
  } catch (error) {
    context.process.exitCode = exitCodeOf(error);
    tellError(context, json, error);
  }
}

/** Says an error, in one sentence or one JSON object. */
export function tellError(
  { output, environment }: CliContext,
  json: boolean | undefined,
  error: unknown,
): void {
  const named = isWhetstoneError(error);
  const message = named ? error.message : `${messageOf(error)} (a fault of Whetstone; please report it)`;
  if (json)
    output.json({
      error: {
        code: named ? error.code : "internal",
        category: named ? error.category : "internal",
        message,
        details: named ? error.details : {},
      },
    });
  else output.note(`whetstone: ${message}`);
  const { WHETSTONE_DEBUG: debug } = environment;
  if (debug !== undefined && debug !== "" && error instanceof Error)
    output.note(error.stack ?? String(error));
}
