import { createHash } from "node:crypto";
import { createReadStream, existsSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { pipeline } from "node:stream/promises";

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
