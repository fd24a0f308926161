import { readFile } from "node:fs/promises";
import { join, resolve } from "node:path";
import type { Json } from "../../../foundation/base/index.ts";

/** The base model's licence, where its definition or the card in its folder names one. */
export async function licenceOf(description: Json, folder: string): Promise<string | undefined> {
  const { model } = description as { readonly model?: Readonly<Record<string, unknown>> };
  if (typeof model?.license === "string") return model.license;
  if (typeof model?.path !== "string") return undefined;
  const card = await readFile(join(resolve(folder, model.path), "README.md"), "utf8").catch(() => "");
  const [, front = ""] = /^---\r?\n([\s\S]*?)\r?\n---(?:\r?\n|$)/.exec(card) ?? [];
  const [, name] = /^license:[ \t]*["']?([\w.+-]+)["']?[ \t]*$/m.exec(front) ?? [];
  return name;
}
