import { confirm, isCancel, select, text } from "@clack/prompts";
import { messageOf, userError } from "../../../foundation/base/index.ts";
import { namedModels } from "../../../model/hub/index.ts";
import type { ModelChoice, TaskChoice } from "./answers.ts";
import { taskNames } from "./answers.ts";
import { readModel, readRounds } from "./read-answers.ts";
import { recipes } from "./recipes.ts";

/** Questions go where notes go, so that standard output holds the result alone. */
const prompt = { output: process.stderr };

export async function askTask(): Promise<TaskChoice> {
  return answered(
    await select({
      ...prompt,
      message: "What is the model to get better at?",
      options: taskNames.map((value) => ({ value, label: value, hint: recipes[value].hint })),
    }),
  );
}

export async function askModel(folder: string, usual: string): Promise<ModelChoice> {
  const size = answered(
    await select({
      ...prompt,
      message: "Which model?",
      initialValue: usual,
      options: [
        { value: "tiny", label: "tiny", hint: "150 thousand weights, from scratch: minutes on a laptop" },
        { value: "small", label: "small", hint: "a million weights, from scratch: five times as long" },
        ...namedModels.map(({ name, parameters }) => ({
          value: name,
          label: name,
          hint: `${Math.round(parameters / 1e6)} million weights, trained already: fetched once`,
        })),
        { value: "folder", label: "one of your own", hint: "a Hugging Face folder, or a GGUF file" },
      ],
    }),
  );
  if (size !== "folder") return readModel(size, folder);
  const path = answered(
    await text({
      ...prompt,
      message: "Where is its folder?",
      placeholder: "./my-model",
      validate: (given = "") => fault(() => readModel(given, folder)),
    }),
  );
  return readModel(path, folder);
}

export async function askRounds(usual: number): Promise<number> {
  const given = await text({
    ...prompt,
    message: "How many rounds?",
    initialValue: String(usual),
    validate: (value = "") => fault(() => readRounds(value)),
  });
  return readRounds(answered(given));
}

export async function askReplace(path: string): Promise<boolean> {
  return answered(
    await confirm({ ...prompt, message: `${path} is there already. Replace it?`, initialValue: false }),
  );
}

/** Ctrl-C and Escape end it all. Throws a user error `interrupted`. */
function answered<T>(answer: T): Exclude<T, symbol> {
  if (isCancel(answer)) throw userError("interrupted", "Nothing was written.");
  return answer as Exclude<T, symbol>;
}

function fault(read: () => unknown): string | undefined {
  try {
    read();
    return undefined;
  } catch (error) {
    return messageOf(error);
  }
}
