import { isWhetstoneError, userError } from "../../../foundation/base/index.ts";
import type { Task } from "../../../foundation/contract/index.ts";
import { runCanaries } from "../canaries.ts";

/** Throws `dataset-verifier` where the verifier that a file's answers ask for does not find them in its completions. */
export async function checkChoice(task: Task, fileName: string): Promise<void> {
  try {
    await runCanaries(task);
  } catch (error) {
    if (!isWhetstoneError(error) || error.code !== "verifier-wrong" || error.details.right !== true)
      throw error;
    const shown = JSON.stringify(String(error.details.response).slice(0, 80));
    throw userError(
      "dataset-verifier",
      `${fileName} has answers beside its completions, and the verifier "${task.verifier.name}" does not find the answer in the completion ${shown}. Give one that does, such as verifier: regex({ pattern: /Answer: (.*)/, example: "Answer: {answer}" }), or leave out the answers, so that the completions are the answers.`,
      error.details,
    );
  }
}
