import { WhetstoneError } from "../../foundation/base/index.ts";

/** A fault of an engine's process, or of a call to it. */
export function engineError(code: string, message: string): WhetstoneError {
  return new WhetstoneError({ code, category: "engine", message });
}
