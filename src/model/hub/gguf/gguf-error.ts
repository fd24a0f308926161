import { userError, type WhetstoneError } from "../../../foundation/base/index.ts";

/** The file is not what its first bytes promise, or something in it is missing. */
export function invalidGguf(path: string, reason: string): WhetstoneError {
  return userError(
    "gguf-invalid",
    `${path} ${reason}: it is no GGUF file of a whole model. Download it again.`,
    {
      path,
    },
  );
}

export function truncatedGguf(path: string, bytes: number): WhetstoneError {
  return userError(
    "gguf-truncated",
    `${path} is cut off: it ends after ${bytes.toLocaleString("en-US")} bytes, and more are announced in it. Download it again.`,
    { path, bytes },
  );
}

/** It may be a good file, but nothing here can use it. */
export function unsupportedGguf(path: string, reason: string): WhetstoneError {
  return userError("gguf-unsupported", `${path} ${reason}.`, { path });
}
