import { isWhetstoneError, type WhetstoneError } from "../../../foundation/base/index.ts";

/** What an engine says of a process, or a server's session, that is gone with all that it held; another one takes its place when it is next needed. */
const deaths = new Set(["worker-died", "worker-silent", "session-lost"]);

/** Whether weights were lost that can be loaded again: any other fault would only come again. */
export function isDeath(error: unknown): error is WhetstoneError {
  return isWhetstoneError(error) && error.category === "engine" && deaths.has(error.code);
}
