import { createHash } from "node:crypto";
import { existsSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { sha256OfFiles, userError } from "../../foundation/base/index.ts";

/** SHA-256 over the names and the bytes of a folder's files, in order of their names; null where there is no folder. */
export async function folderDigest(folder: string): Promise<string | null> {
  if (!existsSync(folder)) return null;
  const whole = createHash("sha256");
  for (const name of readdirSync(folder).sort()) {
    const digest = await sha256OfFiles([join(folder, name)]);
    whole.update(`${name}\n${digest}\n`);
  }
  return whole.digest("hex");
}

/** Files that hold weights, in the order in which they are looked for. */
const weightFiles = ["model.safetensors", "adapter_model.safetensors", "table.safetensors"];

/** SHA-256 of a folder's file of weights; null where it has none. */
export async function weightsDigest(folder: string): Promise<string | null> {
  const name = weightFiles.find((file) => existsSync(join(folder, file)));
  return name === undefined ? null : await sha256OfFiles([join(folder, name)]);
}

/** Where a ledger keeps what the files of a checkpoint were when they were saved. */
export function digestFact(checkpoint: string): string {
  return `digest/${checkpoint}`;
}

/** Throws a user error `checkpoint-damaged` where a folder is there and does not hold what was saved. */
export async function refuseDamaged(folder: string, saved: string): Promise<void> {
  const digest = await folderDigest(folder);
  if (digest === null || digest === saved) return;
  throw userError(
    "checkpoint-damaged",
    `${folder} does not hold what was saved there: put a copy back, or begin anew in another folder.`,
    { path: folder },
  );
}
