import { readFile } from "node:fs/promises";
import { join, resolve } from "node:path";
import { z } from "zod";
import type { Json } from "../../../foundation/base/index.ts";
import { cacheFolder } from "../../../model/engine/local/index.ts";

/** What an exported model was made from. */
export interface BaseModel {
  /** Its place on the model hub where that is known, else its name in the run. */
  readonly name: string;
  /** As its own card names it, such as `apache-2.0`. */
  readonly licence: string | undefined;
}

const describedSchema = z.looseObject({
  model: z.looseObject({
    name: z.string(),
    /** A model that was given by its name. */
    model: z.string().optional(),
    /** A model that was given as a folder. */
    path: z.string().optional(),
  }),
});

/** What the store of named models notes beside each. */
const noteSchema = z.looseObject({
  source: z.looseObject({ repository: z.string().optional() }).optional(),
  licence: z.string().nullish(),
});

/** Reads what the base model's own folder says of it; a folder that is not there any more says nothing. */
export async function baseModelOf(
  description: Json,
  folder: string,
  environment: NodeJS.ProcessEnv = process.env,
): Promise<BaseModel> {
  const described = describedSchema.safeParse(description);
  if (!described.success) return { name: "a model", licence: undefined };
  const { name, model, path } = described.data.model;
  const lies =
    model === undefined ? path && resolve(folder, path) : join(cacheFolder(environment), "models", model);
  if (lies === undefined) return { name, licence: undefined };
  const note = noteSchema.safeParse(parsed(await textOf(join(lies, "whetstone-model.json")))).data;
  return {
    name: note?.source?.repository ?? name,
    licence: licenceName(note?.licence) ?? licenceIn(await textOf(join(lies, "README.md"))),
  };
}

/** A model card begins with YAML between dashes. */
function licenceIn(card: string): string | undefined {
  const [, front = ""] = /^---\r?\n([\s\S]*?)\r?\n---(?:\r?\n|$)/.exec(card) ?? [];
  const [, name] = /^license:[ \t]*["']?([^"'\r\n]*?)["']?[ \t]*$/m.exec(front) ?? [];
  return licenceName(name);
}

/** Only what stands in a card as it is. */
function licenceName(text: string | null | undefined): string | undefined {
  return typeof text === "string" && /^[\w.+-]+$/.test(text) ? text : undefined;
}

function textOf(path: string): Promise<string> {
  return readFile(path, "utf8").catch(() => "");
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
