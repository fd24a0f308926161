/**
 * Writes what runs into dist/, in few files: a command that loads a thousand modules spends most of its time on finding them.
 * Packages that others wrote are left where npm puts them.
 */
import { readdirSync, rmSync } from "node:fs";
import { isAbsolute, join } from "node:path";
import { rolldown } from "rolldown";

const entries = [
  "index",
  "testing",
  "surface/cli/main",
  // What tests and the chaos bench take hold of in the very package that runs.
  "foundation/base/index",
  "foundation/ledger/run-ledger",
  "model/engine/local/index",
  "world/task/string-task",
];

for (const name of readdirSync("dist", { recursive: true, encoding: "utf8" }))
  if (name.endsWith(".js")) rmSync(join("dist", name));
const bundle = await rolldown({
  input: Object.fromEntries(entries.map((name) => [name, `src/${name}.ts`])),
  platform: "node",
  // What stands in for what older Nodes lack comes along.
  external: (name) => !name.startsWith(".") && !isAbsolute(name) && !name.startsWith("@oxc-project/runtime"),
  transform: { target: "node22.18" },
});
await bundle.write({ dir: "dist", format: "esm", chunkFileNames: "chunks/[name]-[hash].js" });
await bundle.close();
