import { execFileSync } from "node:child_process";
import { createHash } from "node:crypto";

/** Seeds that nobody chose: SHA-256 of the commit's id and an index. */
export function seedsOfCommit(count: number): number[] {
  const commit = execFileSync("git", ["rev-parse", "HEAD"], {
    cwd: import.meta.dirname,
    encoding: "utf8",
  }).trim();
  return Array.from({ length: count }, (_, index) =>
    createHash("sha256").update(`${commit} ${index}`).digest().readUInt32LE(0),
  );
}
