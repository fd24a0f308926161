import { userError } from "../../../foundation/base/index.ts";

/** What a checkpoint is for, by the word that stands for it in its path. */
export const checkpointKinds = { weights: "training", sampler_weights: "sampler" } as const;
export type CheckpointFolder = keyof typeof checkpointKinds;

/** `tinker://<model id>/<weights or sampler_weights>/<name>`: where a checkpoint is to be found again. */
export interface TinkerPath {
  readonly modelId: string;
  readonly folder: CheckpointFolder;
  readonly name: string;
}

const prefix = "tinker://";
const nameForm = /^[A-Za-z0-9_][A-Za-z0-9._-]{0,127}$/;
const modelForm = /^[A-Za-z0-9:_-]{1,200}$/;

export const tinkerPathOf = ({ modelId, folder, name }: TinkerPath): string =>
  `${prefix}${modelId}/${folder}/${name}`;

/** Throws a user error `invalid-path`. */
export function parseTinkerPath(path: string): TinkerPath {
  const [modelId = "", folder = "", name = "", ...more] = path.startsWith(prefix)
    ? path.slice(prefix.length).split("/")
    : [];
  if (!modelForm.test(modelId) || !Object.hasOwn(checkpointKinds, folder) || more.length > 0)
    throw userError(
      "invalid-path",
      `"${path.slice(0, 200)}" is no checkpoint: one is ${prefix}MODEL/weights/NAME, or …/sampler_weights/NAME.`,
    );
  return { modelId, folder: folder as CheckpointFolder, name: checkName(name) };
}

/** The path under which the API lists what a `tinker://` path names. */
export function checkpointOf(path: string): string {
  const { modelId, folder, name } = parseTinkerPath(path);
  return `training_runs/${encodeURIComponent(modelId)}/checkpoints/${folder}/${name}`;
}

/** Throws a user error `invalid-path` for a name that is no plain word. */
export function checkName(name: string): string {
  if (nameForm.test(name)) return name;
  throw userError(
    "invalid-path",
    `A checkpoint's name is made of letters, digits, ".", "_" and "-", at most 128, the first neither "." nor "-"; ` +
      `${JSON.stringify(name.slice(0, 200))} is not.`,
  );
}
