import { existsSync } from "node:fs";
import { join, relative, resolve } from "node:path";
import { nearest, userError } from "../../../foundation/base/index.ts";
import { type ModelChoice, modelSizes, mostRounds, type TaskChoice, taskNames } from "./answers.ts";

/** Reads a task's name. Throws a user error `invalid-option` that names the nearest. */
export function readTask(text: string): TaskChoice {
  const found = taskNames.find((name) => name === text);
  if (found !== undefined) return found;
  const meant = nearest(text, taskNames);
  const hint = meant === undefined ? `there are ${taskNames.join(", ")}.` : `did you mean ${meant}?`;
  throw userError("invalid-option", `There is no task ${text}; ${hint}`, { task: text });
}

/** Reads a model's size, or the path of its folder, which is written relative to the config. Throws `invalid-option`. */
export function readModel(text: string, folder: string): ModelChoice {
  const size = modelSizes.find((name) => name === text);
  if (size !== undefined) return { kind: "scratch", size };
  const path = resolve(text);
  if (existsSync(join(path, "config.json"))) return { kind: "folder", path: besides(folder, path) };
  const meant = text.includes("/") ? undefined : nearest(text, modelSizes);
  throw userError(
    "invalid-option",
    meant === undefined
      ? `${text} is no model: it is ${modelSizes.join(", ")}, or a Hugging Face folder, which has a config.json.`
      : `There is no model ${text}; did you mean ${meant}?`,
    { model: text },
  );
}

function besides(folder: string, path: string): string {
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
