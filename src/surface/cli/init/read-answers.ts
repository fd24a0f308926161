import { existsSync } from "node:fs";
import { join, relative, resolve } from "node:path";
import { nearest, userError } from "../../../foundation/base/index.ts";
import { namedModels, storedModels } from "../../../model/hub/index.ts";
import { type ModelChoice, modelSizes, mostRounds, type TaskChoice, taskNames } from "./answers.ts";

/** Reads a task's name. Throws a user error `invalid-option` that names the nearest. */
export function readTask(text: string): TaskChoice {
  const found = taskNames.find((name) => name === text);
  if (found !== undefined) return found;
  const meant = nearest(text, taskNames);
  const hint = meant === undefined ? `there are ${taskNames.join(", ")}.` : `did you mean ${meant}?`;
  throw userError("invalid-option", `There is no task ${text}; ${hint}`, { task: text });
}

/**
 * Reads a model's size, a name, or the path of its folder or GGUF file, which is written relative to the config. Throws a user
 * error `invalid-option`.
 */
export function readModel(text: string, folder: string): ModelChoice {
  const size = modelSizes.find((name) => name === text);
  if (size !== undefined) return { kind: "scratch", size };
  const named = namedModels.map(({ name }) => name);
  const names = [...new Set([...named, ...storedModels().map(({ name }) => name)])];
  if (names.includes(text)) return { kind: "named", name: text };
  const path = resolve(text);
  if (existsSync(join(path, "config.json")) || (path.endsWith(".gguf") && existsSync(path)))
    return { kind: "folder", path: besides(folder, path) };
  const known = [...modelSizes, ...names];
  const meant = text.includes("/") ? undefined : nearest(text, known);
  throw userError(
    "invalid-option",
    meant === undefined
      ? `${text} is no model: it is ${known.join(", ")}, or a Hugging Face folder, which has a config.json.`
      : `There is no model ${text}; did you mean ${meant}?`,
    { model: text },
  );
}

/** A path as a config names it, relative to its own folder. */
export function besides(folder: string, path: string): string {
  const way = relative(folder, path);
  if (way === "") return ".";
  return way.startsWith(".") ? way : `./${way}`;
}

/** Reads a number of rounds. Throws a user error `invalid-option`. */
export function readRounds(text: string): number {
  const rounds = Number(text);
  if (/^\d+$/.test(text.trim()) && rounds >= 1 && rounds <= mostRounds) return rounds;
  throw userError("invalid-option", `Rounds are a whole number from 1 to ${mostRounds}, not "${text}".`, {
    rounds: text,
  });
}
