import { createHash } from "node:crypto";
import { createReadStream, existsSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { pipeline } from "node:stream/promises";
import { userError } from "../../foundation/base/index.ts";

/** SHA-256 over the names and the bytes of a folder's files, in order of their names; null where there is no folder. */
export async function folderDigest(folder: string): Promise<string | null> {
  if (!existsSync(folder)) return null;
  const whole = createHash("sha256");
  for (const name of readdirSync(folder).sort()) {
    const file = createHash("sha256");
    await pipeline(createReadStream(join(folder, name), { highWaterMark: 2 ** 20 }), file);
    whole.update(`${name}\n${file.digest("hex")}\n`);
  }
  return whole.digest("hex");
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
