import { isWhetstoneError, messageOf } from "../../foundation/base/index.ts";
import { exitCodeOf } from "./exit-codes.ts";

/** Where a command writes. A reader that went away (`| head`) ends the printing, never the work. */
export interface Output {
  line(text?: string): void;
  json(value: unknown): void;
  /** For people, beside the result: standard error. */
  note(text: string): void;
}

export function processOutput(): Output {
  let open = true;
  process.stdout.on("error", (error: NodeJS.ErrnoException) => {
    if (error.code !== "EPIPE") throw error;
    open = false;
  });
  process.stderr.on("error", () => {});
  const write = (text: string): void => {
    if (open) process.stdout.write(`${text}\n`);
  };
  return {
    line: (text = "") => write(text),
    json: (value) => write(JSON.stringify(value)),
    note: (text) => process.stderr.write(`${text}\n`),
  };
}

/** Runs a command; an error becomes one sentence (or one JSON object) and an exit code. */
export async function answer(output: Output, json: boolean, work: () => Promise<number | undefined>): Promise<void> {
  try {
    process.exitCode = (await work()) ?? 0;
  } catch (error) {
    process.exitCode = exitCodeOf(error);
    const named = isWhetstoneError(error);
    if (json)
      output.json({
        error: {
          code: named ? error.code : "fault",
          category: named ? error.category : "internal",
          message: messageOf(error),
          details: named ? error.details : {},
        },
      });
    else output.note(`whetstone: ${messageOf(error)}`);
    if (!named && process.env.WHETSTONE_DEBUG !== undefined && error instanceof Error) output.note(error.stack ?? "");
  }
}
