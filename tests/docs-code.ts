import { readFileSync } from "node:fs";
import { stripTypeScriptTypes } from "node:module";
import { join } from "node:path";
import * as whetstone from "../src/index.ts";

/** The page's code that defines a name, run with all that the package exports; what it has then. */
export function defined<T>(page: string, name: string): T {
  const text = readFileSync(join(import.meta.dirname, "../docs", page), "utf8");
  const blocks = [...text.matchAll(/```ts\n(.*?)```/gs)].map(([, code = ""]) => code);
  const code = blocks.find((block) => block.includes(`const ${name}`));
  if (code === undefined) throw new Error(`docs/${page} has no ${name}`);
  const bare = stripTypeScriptTypes(code).replace(/^import .*?;$/gms, "");
  return new Function(...Object.keys(whetstone), `${bare}\nreturn ${name};`)(
    ...Object.values(whetstone),
  ) as T;
}
