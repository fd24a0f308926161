import { readFileSync } from "node:fs";
import { join } from "node:path";
import { z } from "zod";
import { messageOf, userError, WhetstoneError } from "../../../foundation/base/index.ts";
import { writeFolder } from "../write-folder.ts";

const file = "tinker.json";
const schema = z.strictObject({
  format: z.literal(1),
  /** Of the server that has the weights. */
  baseUrl: z.string(),
  path: z.string(),
  /** Where the same weights can be sampled from, if not there. */
  samplerPath: z.string().optional(),
  model: z.string(),
  /** The folder whose config and tokenizer are the model's. */
  folder: z.string(),
  step: z.int().min(0),
  optimizer: z.boolean(),
});

/** What lies in the place of a checkpoint whose weights a server keeps. */
export type Pointer = Readonly<Omit<z.output<typeof schema>, "format">>;

/** Throws what `writeFolder` throws. */
export function writePointer(path: string, pointer: Pointer): number {
  return writeFolder(path, { [file]: `${JSON.stringify({ format: 1, ...pointer }, null, 2)}\n` });
}

/** Throws a user error `config-missing` where the folder is no checkpoint of a server. */
export function readPointer(folder: string): Pointer {
  const path = join(folder, file);
  try {
    return schema.parse(JSON.parse(readFileSync(path, "utf8")));
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === "ENOENT" || code === "ENOTDIR")
      throw userError(
        "config-missing",
        `${folder} has no ${file}: it was saved by no Tinker server's engine.`,
        {
          path,
        },
      );
    throw new WhetstoneError({
      code: "config-invalid",
      category: "user",
      message: `${path} names no checkpoint (${error instanceof z.ZodError ? z.prettifyError(error) : messageOf(error)}).`,
      cause: error,
    });
  }
}
