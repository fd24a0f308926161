import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import ts from "typescript";

const root = join(import.meta.dirname, "..", "..");
/** What the simulation is about: the gate, its bets, and what an opening spends. */
const gateSources = [
  "src/loop/gate.ts",
  "src/foundation/statistics/betting.ts",
  "src/foundation/statistics/spending.ts",
] as const;

/** SHA-256 of the gate's sources without types and comments: another one where a row of the simulation may come out otherwise. */
export function gateDigest(): string {
  const digest = createHash("sha256");
  for (const path of gateSources) {
    const text = readFileSync(join(root, path), "utf8");
    const { outputText } = ts.transpileModule(text, {
      compilerOptions: {
        removeComments: true,
        target: ts.ScriptTarget.ESNext,
        module: ts.ModuleKind.ESNext,
      },
    });
    digest.update(outputText);
  }
  return digest.digest("hex");
}
