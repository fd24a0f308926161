import { isWhetstoneError, messageOf, userError } from "../../foundation/base/index.ts";
import type { CliContext } from "./context.ts";
import { exitCodeOf } from "./exit-codes.ts";

/** Does a command's work; an error becomes one sentence (or one JSON object) and an exit code. */
export async function answer(
  context: CliContext,
  json: boolean | undefined,
  work: () => Promise<number>,
): Promise<void> {
  const stuck = Promise.withResolvers<number>();
  const end = (): void =>
    stuck.reject(
      userError(
        "never-settles",
        "It waits for a promise that nothing is left to settle: one of a part, a task or a source of your own, since all of Whetstone's settle. What is done so far is stored; mend it, and the same command goes on.",
      ),
    );
  // Node would end without a word, as if all were done.
  process.once("beforeExit", end);
  try {
    context.process.exitCode = await Promise.race([work(), stuck.promise]);
  } catch (error) {
    context.process.exitCode = exitCodeOf(error);
    tellError(context, json, error);
  } finally {
    process.off("beforeExit", end);
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
