import { userError, type WhetstoneError } from "../../foundation/base/index.ts";

/** A prompt that is not one of the task's. */
export function unreadablePrompt(task: string, prompt: string, form: string): WhetstoneError {
  return userError(
    "prompt-unreadable",
    `${task} cannot read the prompt ${JSON.stringify(prompt)}; it reads ${form}.`,
    { task, prompt },
  );
}
